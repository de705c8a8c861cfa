"""Weights of events, from the file to the rows."""

import h5py
import numpy as np
import pytest

from jetssl.data.rows import rows_of
from jetssl.data.weights import relative_weights
from resim.card.run_options import RunOptions
from resim.common.errors import InputError
from resim.pairfile.mock import write_mock
from resim.run.generate import generate
from tests.helpers.chain import FAULTS, fault_card

NAMES = "<header><initrwgt><weight id='1'> muR=2 </weight><weight id='2'> muR=4 </weight></initrwgt></header>"


def test_only_differences_within_an_lhe_file_count():
    source = np.array([0, 0, 0, 1, 1])
    assert (relative_weights(np.array([5.0, 5.0, 5.0, 7.0, 7.0]), source) == 1).all()
    relative = relative_weights(np.array([1.0, 2.0, 3.0, -7.0, 21.0]), source)
    assert relative.tolist() == [0.5, 1.0, 1.5, -1.0, 3.0]


@pytest.fixture
def differing(tmp_path):
    path = write_mock(tmp_path / "pairs.h5", 20)
    with h5py.File(path, "r+") as file:
        file["hard_scatter/weight"][:] = np.where(np.arange(20) % 4 == 0, -1, 3)
    return path


def test_they_count_where_they_differ_unless_the_card_says_otherwise(differing, caplog):
    assert rows_of([differing]).weight[:4].tolist() == [-0.5, 1.5, 1.5, 1.5]
    assert "weights of its events differ, and count (data.weights)" in caplog.text
    caplog.clear()
    assert not rows_of([differing], weights="none").weighted
    assert "differ; each row counts once" in caplog.text


def test_equal_weights_are_not_spoken_of(mock_file, caplog):
    assert not rows_of([mock_file]).weighted
    assert not caplog.text


def test_a_weight_that_the_file_does_not_keep(differing):
    with pytest.raises(InputError, match=r"no weight 'muR', it keeps XWGTUP alone; generate it with `weights: all`"):
        rows_of([differing], weights="muR")


def test_one_of_all_weights(tmp_path):
    """By its id; the second event does not have weight 2."""
    head, *events = (FAULTS / "negw.lhe").read_text().split("<event>")[:5]
    blocks = [head.replace("<init>", f"{NAMES}\n<init>")]
    for i, event in enumerate(events):
        second = "<wgt id='2'> 1 </wgt>" if i != 1 else ""
        values = f"<wgt id='1'> {i + 1} </wgt>{second}<wgt id='3'> 0 </wgt>"
        blocks.append(event.replace("</event>", f"<rwgt>{values}</rwgt>\n</event>"))
    (tmp_path / "w.lhe").write_text("<event>".join(blocks) + "</LesHouchesEvents>\n")
    card = fault_card(tmp_path, tmp_path / "w.lhe", {25: "h"}, weights="all")
    generate(card, tmp_path / "h.h5", RunOptions(quiet=True))
    assert rows_of([tmp_path / "h.h5"], weights="1").weight.tolist() == [0.4, 0.8, 1.2, 1.6]
    with pytest.raises(InputError, match=r"data.weights is '2', but 1 of 4 rows have none"):
        rows_of([tmp_path / "h.h5"], weights="2")
    with pytest.raises(InputError, match=r"data.weights is '3', and it is 0 for all 4 rows, so none would count"):
        rows_of([tmp_path / "h.h5"], weights="3")
