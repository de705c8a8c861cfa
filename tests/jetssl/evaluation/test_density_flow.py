"""A normalizing flow on distributions whose density is known."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from jetssl.evaluation.density_flow import negative_log_density


def test_it_finds_the_density_of_a_correlated_gaussian(rng):
    covariance = np.array([[1.0, 0.8], [0.8, 1.0]])
    truth = multivariate_normal(cov=covariance)
    learned, scored = (truth.rvs(size, random_state=rng) for size in (4000, 500))
    found = negative_log_density(learned, scored, 1)
    assert (found + truth.logpdf(scored)).mean() == pytest.approx(0, abs=0.1)  # the distance of both densities
    assert np.corrcoef(found, truth.logpdf(scored))[0, 1] < -0.97


def test_it_depends_on_the_seed_alone(rng):
    learned, scored = rng.normal(size=(100, 3)), rng.normal(size=(7, 3))
    one, same, other = (negative_log_density(learned, scored, seed) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    assert one.dtype == np.float64
