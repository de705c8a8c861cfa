"""A file that was not finished is not there."""

import pytest

from resim.card.view_plan import ViewRecord
from resim.pairfile.writer import PairWriter


def test_nothing_stays_under_the_final_name_without_finish(tmp_path):
    view = ViewRecord("nominal", None, None, {})
    with pytest.raises(RuntimeError, match="stop"), PairWriter(tmp_path / "x.h5", [view], ["a"], ["00"]):
        raise RuntimeError("stop")
    assert list(tmp_path.iterdir()) == []
