"""Parameters of hadronic showers against the formulas of their sources."""

import numpy as np
import pytest

from resim.card.calorimeter_card import HadronicShowers
from resim.detector.cells import hadronic

SHOWERS = HadronicShowers(em_exponent=0.82, em_scale=1.0, em_concentration=15, radius=(0.04, 0.12))


def test_the_mean_electromagnetic_fraction_is_that_of_the_review():
    """1 - 100^-0.18 = 0.563; none below the scale."""
    energy = np.array([0.3, 1.0, 10.0, 100.0])
    assert hadronic.mean_em_fraction(energy, SHOWERS) == pytest.approx([0, 0, 0.3393, 0.5635], abs=1e-4)


def test_fractions_fluctuate_about_it():
    energy = np.full(20_000, 50.0)
    fraction = hadronic.em_fraction(energy, np.random.default_rng(5).uniform(size=20_000), SHOWERS)
    mean = hadronic.mean_em_fraction(energy, SHOWERS)[0]
    assert fraction.mean() == pytest.approx(mean, abs=0.003)
    assert fraction.var() == pytest.approx(mean * (1 - mean) / 16, rel=0.03)
    assert ((fraction >= 0) & (fraction <= 1)).all()
    assert hadronic.em_fraction(np.array([0.5]), np.array([0.5]), SHOWERS) == [0]


def test_profiles_are_those_of_bock():
    """NIM 186 (1981) 533, at 100 GeV and, below its range, at 1 GeV."""
    energy = np.array([0.2, 1.0, 100.0])
    assert hadronic.shape(energy) == pytest.approx([0.6165, 0.6165, 2.0823], abs=1e-4)
    assert hadronic.rate(energy) == pytest.approx([0.9099, 0.9099, 0.8008], abs=1e-4)
