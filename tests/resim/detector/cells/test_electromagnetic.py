"""Profiles of electromagnetic showers against the formulas of Grindhammer and Peters worked out by hand."""

import numpy as np
import pytest

from resim.detector.cells.electromagnetic import profile

Z = 61.5


def test_without_fluctuations_the_profile_is_the_mean_one():
    """hep-ex/0001020: T = ln y - 0.812, alpha = 0.81 + (0.458 + 2.26 / Z) ln y."""
    y = np.array([100.0, 10_000.0])
    zeros = np.zeros(2)
    alpha, maximum = profile(y, np.full(2, Z), zeros, zeros)
    assert maximum == pytest.approx([3.793, 8.398], abs=1e-3)
    assert alpha == pytest.approx(0.81 + (0.458 + 2.26 / Z) * np.log(y))


def test_fluctuations_have_the_widths_and_the_correlation_of_the_paper():
    generator = np.random.default_rng(3)
    n, log_y = 40_000, np.log(5000.0)
    alpha, maximum = profile(np.full(n, 5000.0), np.full(n, Z), *generator.normal(size=(2, n)))
    assert np.log(maximum).std() == pytest.approx(1 / (-1.4 + 1.26 * log_y), rel=0.02)
    assert np.log(alpha).std() == pytest.approx(1 / (-0.58 + 0.86 * log_y), rel=0.02)
    rho = np.corrcoef(np.log(maximum), np.log(alpha))[0, 1]
    assert rho == pytest.approx(0.705 - 0.023 * log_y, abs=0.02)


def test_the_softest_showers_have_profiles_too():
    generator = np.random.default_rng(4)
    alpha, maximum = profile(np.geomspace(1e-12, 3, 500), np.full(500, Z), *generator.normal(size=(2, 500)))
    assert np.isfinite(alpha).all()
    assert (alpha > 1).all()
    assert (maximum > 0).all()
