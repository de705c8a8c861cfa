"""The area under a ROC curve, by counting pairs, by scikit-learn, and with weights by repetition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from jetssl.common.roc import WeightedRoc, auc
from jetssl.evaluation.metrics import background_efficiency

SCORES = st.lists(st.integers(0, 5), min_size=1, max_size=15).map(lambda values: np.array(values, float))


@pytest.mark.slow
@given(SCORES, SCORES)
def test_auc_counts_pairs(signal, background):
    pairs = [(s > b) + 0.5 * (s == b) for s in signal for b in background]
    assert auc(signal, background) == pytest.approx(np.mean(pairs))
    is_signal = np.repeat([True, False], [len(signal), len(background)])
    weighted = WeightedRoc(np.concatenate([signal, background]), is_signal)
    found = weighted(np.ones(len(is_signal)), np.array([0.3, 0.7]))
    assert found[0] == pytest.approx(np.mean(pairs))
    assert found[1:] == pytest.approx(background_efficiency(signal, background, np.array([0.3, 0.7])))


def test_weights_are_repetitions():
    scores, is_signal = np.array([0.0, 1, 2, 3]), np.array([False, True, False, True])
    weights = np.array([2, 1, 1, 3])
    repeated, kinds = np.repeat(scores, weights), np.repeat(is_signal, weights)
    points = np.array([0.3, 0.5])
    found = WeightedRoc(scores, is_signal)(weights, points)
    assert found[0] == pytest.approx(auc(repeated[kinds], repeated[~kinds]))
    assert found[1:] == pytest.approx(background_efficiency(repeated[kinds], repeated[~kinds], points))
    assert np.isnan(WeightedRoc(scores, is_signal)(np.array([1, 0, 1, 0]), points)).all()


def test_scores_without_ties_as_scikit_learn():
    rng = np.random.default_rng(1)
    signal, background = rng.normal(0.5, 1, 300), rng.normal(0, 1, 500)
    wanted = roc_auc_score(np.repeat([1, 0], [300, 500]), np.concatenate([signal, background]))
    assert auc(signal, background) == pytest.approx(wanted, abs=1e-12)


@given(SCORES, SCORES, st.floats(0, 1))
def test_significance_improvement_is_the_best_of_all_cuts(signal, background, least):
    """Against a loop over cuts, in which weights are repetitions."""
    scores, is_signal = np.concatenate([signal, background]), np.repeat([True, False], [len(signal), len(background)])
    weights = 1 + np.arange(len(scores)) % 3
    wanted = []
    for cut in scores:
        kept, passing = (np.average(scores[kind] >= cut, weights=weights[kind]) for kind in (is_signal, ~is_signal))
        if passing >= least and passing > 0:
            wanted.append(kept / np.sqrt(passing))
    found = WeightedRoc(scores, is_signal).significance_improvement(weights, least)
    assert found == pytest.approx(max(wanted))
    assert np.isnan(WeightedRoc(scores, is_signal).significance_improvement(0 * weights, least))
