"""How two histograms compare."""

import numpy as np
import pytest

from resim.plots.histogram import Histogram


def test_ratio_and_its_error_by_hand():
    edges = np.array([0.0, 1.0, 2.0])
    ratio, error = Histogram(edges, np.array([20.0, 0.0])).ratio(Histogram(edges, np.array([10.0, 5.0])))
    assert ratio[0] == 2.0
    assert error[0] == pytest.approx(2 * np.sqrt(1 / 20 + 1 / 10))
    assert np.isnan(ratio[1])


def test_chi_squared_of_equal_shapes_is_that_of_chance_and_of_others_is_not():
    rng = np.random.default_rng(1)
    edges = np.linspace(0, 1, 21)

    def sample(n, power=1.0):
        return Histogram(edges, np.histogram(rng.random(n) ** power, edges)[0].astype(float))

    values = [sample(1000).chi2(sample(3000)) for _ in range(200)]
    assert {freedom for _, freedom in values} == {19}
    assert np.mean([chi2 for chi2, _ in values]) == pytest.approx(19, abs=4 * np.sqrt(2 * 19 / 200))
    assert sample(1000).chi2(sample(3000, power=1.5))[0] > 60
