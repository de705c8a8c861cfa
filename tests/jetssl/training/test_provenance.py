"""What a run says of its making."""

import numpy as np
import torch

from jetssl.data.rows import FileRecord
from jetssl.training.provenance import RunProvenance, SplitCounts, start_record, versions


def test_a_record_comes_back_from_its_text():
    counts = SplitCounts(train=3, validation=2, test=1)
    record = start_record(
        files=[FileRecord("a.h5", "ab", 6, {"hbb": 6}, ("nominal",))],
        views=("nominal",), rows=counts, pair_rows=counts, parameters={"encoder": 10}, seed=4, processes=2,
    )  # fmt: skip
    assert RunProvenance.model_validate_json(record.model_dump_json()) == record
    assert (record.files[0].digest, record.seed, record.processes, record.finished) == ("ab", 4, 2, None)


def test_versions_are_those_that_run():
    found = versions()
    assert (found["torch"], found["numpy"]) == (torch.__version__.split("+")[0], np.__version__) or found[
        "torch"
    ] == torch.__version__
