"""Scores of anomalies against formulas, loops, and shapes whose answer is known."""

import numpy as np
import pytest
from scipy.stats import chi2
from sklearn.metrics import roc_auc_score

from jetssl.evaluation.anomaly_scores import DRAWN, NEIGHBOURS, SCORERS


def test_the_norm_is_a_length():
    assert SCORERS["norm"](None, np.array([[3.0, 4.0], [0.0, 0.0]], np.float32), 0).tolist() == [5, 0]


def test_mahalanobis_of_a_gaussian_is_chi_squared(rng):
    """Of 3 numbers, correlated and of different scale."""
    mix = np.array([[1.0, 0.5, 0], [0, 2.0, 0.3], [0, 0, 10.0]])
    background, jets = (rng.normal(size=(20_000, 3)) @ mix + 5 for _ in range(2))
    squared = np.exp(SCORERS["mahalanobis"](background.astype(np.float32), jets.astype(np.float32), 0))
    for share in (0.1, 0.5, 0.9):
        assert np.quantile(squared, share) == pytest.approx(chi2.ppf(share, 3), rel=0.05)


def test_neighbours_are_those_of_a_loop(rng):
    background, jets = (rng.normal(size=(size, 4)).astype(np.float32) for size in (60, 7))
    found = SCORERS["knn"](background, jets, 0)
    spread = background.std(0)
    for jet, score in zip(jets, found, strict=True):
        distances = sorted(np.linalg.norm((jet - other) / spread) for other in background)
        assert score == pytest.approx(np.log(np.mean(distances[:NEIGHBOURS])), abs=1e-5)


def test_an_autoencoder_knows_the_surface_that_background_lies_on(rng):
    """12 numbers that depend on 2, against the same without the relation; the spectra of all numbers are equal."""
    mix = rng.normal(size=(2, 12))

    def background(size):
        return np.tanh(rng.normal(size=(size, 2)) @ mix).astype(np.float32)

    jets, anomalies = background(500), rng.permuted(background(500), axis=0)
    scores = SCORERS["autoencoder"](background(3000), np.concatenate([jets, anomalies]), 3)
    assert roc_auc_score(np.repeat([0, 1], 500), scores) > 0.95


@pytest.mark.parametrize("name", SCORERS)
def test_scores_depend_on_seed_only_where_they_say_so_and_not_on_scales(name, rng):
    background, jets = (rng.normal(size=(200, 3)).astype(np.float32) for _ in range(2))
    one, same, other = (SCORERS[name](background, jets, seed) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert np.array_equal(one, other) == (name not in DRAWN)
    if name != "norm":
        scale = np.float32([1024, 2, 0.25])
        assert SCORERS[name](scale * background, scale * jets, 1) == pytest.approx(one, abs=1e-3)
