"""Noise of cells: its distribution, and that it does not matter when it is asked for."""

import numpy as np
from scipy import stats

from resim.detector.cells.noise import measure_hit, measured

N = 20_001
SIGMA = np.full(N, 0.5, np.float32)
KEY = tuple(np.array([4, 2], np.uint64))
MODULE = np.uint64(6)


def all_noise() -> np.ndarray:
    """Noise of every cell, one after the other."""
    energies, known = np.zeros(N, np.float32), np.zeros(N, np.bool_)
    for cell in range(N):
        assert measured(cell, energies, known, SIGMA, KEY, MODULE) == energies[cell]
    assert known.all()
    return energies


def test_noise_is_normal():
    assert stats.kstest(all_noise() / 0.5, stats.norm.cdf).pvalue > 1e-3


def test_hit_cells_and_all_beyond_the_threshold_are_found():
    energies, known = np.zeros(N, np.float32), np.zeros(N, np.bool_)
    energies[[5, 777]] = 3.0
    found = measure_hit(energies, known, SIGMA, 3.0, KEY, MODULE)
    noise = all_noise()
    assert {5, 777} <= set(found.tolist())
    assert set(np.flatnonzero(np.abs(noise) > 1.5)) <= set(found.tolist())
    assert len(found) < 0.05 * N
    assert np.allclose(energies[found], noise[found] + 3.0 * np.isin(found, [5, 777]))
    assert not energies[~known].any()


def test_another_event_has_other_noise():
    energies, known = np.zeros(N, np.float32), np.zeros(N, np.bool_)
    measure_hit(energies, known, SIGMA, 0.1, KEY[::-1], MODULE)
    assert abs(np.corrcoef(energies, all_noise())[0, 1]) < 0.05
