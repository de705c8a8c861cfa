import numpy as np
import pytest
from scipy.stats import norm

from jetssl.weak.pseudo_labels import confident, hard_labels
from tests.helpers.gaussians import gaussians


def posterior(points):
    p = 1 / (1 + np.exp(-2 * points[:, 0].astype(float)))
    return np.stack([1 - p, p], axis=1)


def test_hard_labels_against_a_slow_loop(rng):
    probabilities = rng.dirichlet(np.ones(3), 20)
    expected = [[float(p == max(row)) for p in row] for row in probabilities]
    assert hard_labels(probabilities).tolist() == expected


def test_sure_jets_are_as_often_wrong_as_gaussians_say(rng):
    """P > 0.9 is |x| > log(9) / 2: 3.7 % of these are wrong, against 16 % of all."""
    points, classes = gaussians(rng, 40_000)
    probabilities = posterior(points)
    chosen = np.flatnonzero(probabilities.max(1) >= 0.9)
    cut = np.log(9) / 2
    wrong, right = norm.cdf(-cut - 1), norm.cdf(1 - cut)
    expected = wrong / (wrong + right)
    assert (probabilities[chosen].argmax(1) != classes[chosen]).mean() == pytest.approx(
        expected, abs=4 * np.sqrt(expected / len(chosen))
    )


def test_every_class_keeps_its_surest_half():
    probabilities = np.array([[0.99, 0.01], [0.95, 0.05], [0.6, 0.4], [0.45, 0.55], [0.3, 0.7], [0.35, 0.65]])
    assert confident(probabilities, 0.9).tolist() == [0, 1, 4, 5]
    assert confident(probabilities, 0.5).tolist() == [0, 1, 2, 3, 4, 5]
