import numpy as np
import pytest

from jetssl.weak.scan_table import NAMES, scan_table
from jetssl.weak.spectrum import CURVED, Excess, fit
from tests.helpers.records import scan_of
from tests.helpers.spectra import WINDOW, falling


def test_a_row_for_each_input_and_number_of_events():
    table = scan_table(scan_of())
    assert table.title == "Search for wz in qcd without labels"
    assert [row[:2] for row in table.rows] == [
        (name, injected) for name in list(NAMES.values())[:2] for injected in ("0", "50")
    ]
    assert table.rows[1][3:6] == ("2.00 ± 1.41", "5.50 ± 0.71", "0.10 ± 0.14")
    assert [row[6] for row in table.rows] == ["0.40"] * 4
    assert [row[7] != "" for row in table.rows] == [True, False] * 2
    assert "signal region 1200-1400 GeV" in table.caption
    assert "some 0.71 of what experiments scatter by" in table.caption  # half of the events are drawn


def excess_of(mass):
    return Excess(int(WINDOW.inside(mass).sum()), *fit(mass, WINDOW, CURVED).in_region())


def test_draws_of_one_sample_scatter_by_less_than_experiments(rng):
    """By sqrt(1 - 0.7) with 70 % of it, in the significance before the cut; an experiment's has a spread of 1."""
    spreads = []
    for _ in range(10):
        pool = falling(rng, 10_000)
        draws = [rng.choice(pool, 7_000, replace=False) for _ in range(8)]
        spreads.append(np.var([excess_of(mass).significance for mass in draws], ddof=1))
    assert np.sqrt(np.mean(spreads)) == pytest.approx(np.sqrt(0.3), abs=0.12)
