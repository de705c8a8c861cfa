"""Fits of known spectra, and significances against formulas."""

import math

import numpy as np
import pytest
from scipy.stats import kstest, norm, poisson

from jetssl.weak.spectrum import BINS, CURVED, STRAIGHT, Excess, MassWindow, fit
from resim.common.errors import InputError
from tests.helpers.spectra import WINDOW, falling


def test_regions_and_bins_cover_everything_once(rng):
    mass = rng.uniform(900, 1900, 1000)
    parts = np.stack([WINDOW.lower(mass), WINDOW.inside(mass), WINDOW.upper(mass)])
    assert np.array_equal(parts.sum(0), (mass >= 1000) & (mass < 1800))
    edges = WINDOW.edges
    assert len(edges) == 3 * BINS + 1
    assert edges[[0, BINS, 2 * BINS, -1]].tolist() == [1000, 1200, 1400, 1800]


def test_expected_events_are_those_of_the_spectrum(rng):
    """With an error that covers what happens in many samples; degree 1 has the smaller one."""
    pulls, errors, qualities = [], [], []
    for _ in range(100):
        mass = falling(rng, 3000)
        found = fit(mass, WINDOW, CURVED)
        expected, error = found.in_region()
        truth = 3000 * (1200**-4 - 1400**-4) / (1000**-4 - 1800**-4)
        pulls.append((expected - truth) / error)
        errors.append(error)
        qualities.append(found.quality)
    assert np.mean(pulls) == pytest.approx(0, abs=0.4)
    assert np.std(pulls) == pytest.approx(1, abs=0.25)
    assert kstest(qualities, "uniform").pvalue > 1e-3
    assert fit(mass, WINDOW, STRAIGHT).in_region()[1] < np.mean(errors)


def test_a_signal_in_the_region_does_not_move_the_fit(rng):
    mass = falling(rng, 3000)
    with_signal = np.append(mass, rng.uniform(1200, 1400, 500))
    assert fit(with_signal, WINDOW, CURVED).in_region() == fit(mass, WINDOW, CURVED).in_region()


def test_a_known_shape_is_only_scaled(rng):
    mass = falling(rng, 4000)
    shape = fit(mass, WINDOW, CURVED)
    some = fit(mass[rng.random(4000) < 0.2], WINDOW, STRAIGHT, shape.expected)
    assert some.in_region()[0] == pytest.approx(0.2 * shape.in_region()[0], abs=4 * some.in_region()[1])


@pytest.mark.parametrize(("observed", "expected"), [(30, 20.0), (20, 30.0), (0, 4.0), (17, 17.0)])
def test_without_an_error_it_is_the_likelihood_ratio_of_a_poisson(observed, expected):
    ratio = 2 * (poisson.logpmf(observed, max(observed, 1e-12)) - poisson.logpmf(observed, expected))
    wanted = math.copysign(math.sqrt(max(ratio, 0)), observed - expected)
    assert Excess(observed, expected, 0.0).significance == pytest.approx(wanted, abs=1e-6)
    assert Excess(observed, expected, 1e-4).significance == pytest.approx(wanted, abs=1e-3)


def test_an_error_lowers_the_significance_as_for_large_numbers():
    found = Excess(10_300, 10_000.0, 100.0)
    assert found.significance == pytest.approx(300 / math.hypot(100, 100), rel=0.02)
    assert found.p_value == pytest.approx(norm.sf(found.significance))


def test_bad_windows_and_empty_sidebands_are_one_line():
    with pytest.raises(InputError, match="want the region inside"):
        MassWindow((1200, 1400), (1300, 1800))
    for edge in (math.inf, math.nan):
        with pytest.raises(InputError, match="a finite sideband on either side"):
            MassWindow((1200, 1400), (1000, edge))
    with pytest.raises(InputError, match="events are too few for a fit"):
        fit(np.full(100, 1300.0), WINDOW, CURVED)
