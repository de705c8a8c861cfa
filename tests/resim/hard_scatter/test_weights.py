import pytest

from resim.hard_scatter.lhe_reading import survey
from resim.hard_scatter.weights import WeightSums
from tests.helpers.chain import FAULTS, HARD_SCATTERS

INIT = [["2212"] * 8 + ["-4", "2"], ["3.0", "0.3", "1", "1"], ["4.0", "0.4", "1", "2"]]


def report(*weights: float):
    sums = WeightSums()
    for weight in weights:
        sums.add(weight)
    return sums.report(INIT)


def test_weights_by_hand():
    found = report(1.0, 1.0, -1.0, 1.0)
    assert (found.strategy, found.cross_section, found.cross_section_error) == (-4, 7.0, pytest.approx(0.5))
    assert (found.events, found.negative, found.smallest, found.largest) == (4, 1, 1.0, 1.0)
    assert found.effective == pytest.approx((4 - 2) ** 2 / (4 * 4))
    assert found.differ
    assert "1 of 4 negative: worth 25.0% of as many equal ones" in str(found)


def test_equal_weights_are_said_as_such():
    assert not report(2.5, 2.5, 2.5).differ
    assert str(report(2.5)).endswith("equal weights")
    assert report(2.5, 2.5).effective == pytest.approx(1)


def test_files_with_negative_and_with_spread_weights():
    assert survey(FAULTS / "negw.lhe").weights.negative > 0
    spread = survey(FAULTS / "idw1.lhe").weights
    assert (spread.strategy, spread.largest / spread.smallest > 1e4) == (1, True)
    shipped = survey(HARD_SCATTERS / "hbb_j.lhe.gz", 10).weights
    assert shipped.cross_section == pytest.approx(0.088, rel=0.02)
    assert not shipped.differ


def test_an_init_block_without_readable_processes_says_nothing():
    sums = WeightSums()
    sums.add(1.0)
    assert sums.report([["2212"], ["nan", "x"]]).cross_section == 0.0
