"""Numbers of a pair file."""

import io
import json

import numpy as np
import pytest
from rich.console import Console

from resim.pairfile.inspection import print_summary, summarize
from resim.pairfile.merging import merge
from resim.pairfile.mock import write_mock
from resim.pairfile.reader import PairFile
from resim.pairfile.writer import Storage


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_mock(tmp_path_factory.mktemp("mock") / "pairs.h5", 40, ("a", "b", "c"), p_valid=0.6)


def test_rows_pairs_and_views_are_counted(path):
    summary = summarize(path)
    with PairFile(path) as file:
        valid = np.stack([file.valid(view) for view in "abc"])
        labels = file.label_names()
        mean = file.jets("b", "n_constituents")[valid[1]].mean()
    assert summary.rows == {"one_prong": 20, "two_prong": 20}
    pairs = valid.sum(0) >= 2
    assert summary.paired_rows == {label: int((pairs & (labels == label)).sum()) for label in summary.rows}
    assert [view.valid for view in summary.views] == valid.sum(1).tolist()
    assert summary.views[1].mean_constituents == pytest.approx(mean)
    assert [view.parent for view in summary.views] == [None, "a", "a"]


def test_the_summary_is_json(path):
    assert json.loads(json.dumps(summarize(path).as_json()))["rows"]["one_prong"] == 20


def shown(path):
    console = Console(width=140, record=True, file=io.StringIO())
    print_summary(summarize(path), console)
    return console.export_text()


def test_a_rounded_file_says_so(path, tmp_path):
    merge([path], tmp_path / "r.h5", Storage(rounded=True))
    assert "rounded below" in shown(tmp_path / "r.h5")
    assert "rounded" not in shown(path)
    assert summarize(tmp_path / "r.h5").as_json()["rounded"]


def test_the_tables_hold_the_numbers(path):
    text = shown(path)
    assert "pairs.h5: 40 rows" in text
    assert all(str(view.valid) in text for view in summarize(path).views)
