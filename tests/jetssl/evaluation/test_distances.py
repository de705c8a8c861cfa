import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm, wasserstein_distance

from jetssl.common.roc import auc
from jetssl.evaluation.distances import jensen_shannon


def test_gaussians_with_known_distances(rng):
    one, other = rng.normal(0, 1, 40_000), rng.normal(1, 1, 40_000)
    assert auc(other, one) == pytest.approx(norm.cdf(1 / np.sqrt(2)), abs=0.006)
    assert wasserstein_distance(one, other) == pytest.approx(1, abs=0.02)

    def divergence(x):
        p, q = norm.pdf(x), norm.pdf(x, 1)
        m = (p + q) / 2
        return (p * np.log2(p / m) + q * np.log2(q / m)) / 2

    assert jensen_shannon(one, other) == pytest.approx(np.sqrt(quad(divergence, -7, 8)[0]), abs=0.01)


def test_extremes_and_weights(rng):
    values = rng.normal(size=500)
    assert jensen_shannon(values, values) == 0
    assert jensen_shannon(values, values + 100) == pytest.approx(1)
    weights = rng.integers(1, 3, 500)
    # The bins come from unweighted values, so weights of one side are repetitions only up to their edges.
    assert jensen_shannon(values, values, weights, weights) == 0
