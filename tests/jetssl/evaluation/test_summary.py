"""From scores to records, with known scores."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit
from sklearn.calibration import calibration_curve

from jetssl.common.roc import auc
from jetssl.evaluation.metrics import WORKING_POINTS
from jetssl.evaluation.results import Origin
from jetssl.evaluation.summary import Comparison, roc_curves, summarize


@pytest.fixture
def comparison(task, rng):
    signal = task.is_signal[task.test]
    good = np.stack([signal + rng.normal(0, 0.3, len(signal)) for _ in range(3)])
    noise = rng.normal(size=good.shape)
    names = [(None, "part"), ("random", "part")]
    return Comparison(task, "nominal", names, [good, noise], 20, False, Origin(1, "command"))


def records(comparison):
    return {(result.baseline, result.metric): result for result in summarize(comparison)}


def test_values_are_means_over_draws(comparison):
    found, signal = records(comparison), comparison.classes == 0
    for (baseline, _), scores in zip(comparison.names, comparison.scores, strict=True):
        wanted = np.mean([auc(draw[signal], draw[~signal]) for draw in scores])
        assert found[baseline, "auc"].value == pytest.approx(wanted)
    difference = found[None, "auc_minus_random"]
    assert difference.value == pytest.approx(found[None, "auc"].value - found["random", "auc"].value)
    assert difference.value > 3 * difference.error > 0


def test_every_input_has_every_metric(comparison):
    metrics = {
        "auc",
        "accuracy",
        "expected_calibration_error",
        *(f"rejection_at_{point}" for point in WORKING_POINTS),
    }
    found = records(comparison)
    assert {metric for baseline, metric in found if baseline == "random"} == metrics
    assert {metric for baseline, metric in found if baseline is None} == metrics | {"auc_minus_random"}
    assert all(result.n_draws == 3 and result.n_test == len(comparison.task.test) for result in found.values())


def test_an_input_compared_with_itself_differs_by_nothing(comparison):
    twice = [comparison.scores[0]] * 2
    found = records(Comparison(comparison.task, "nominal", comparison.names, twice, 20, False, Origin(1, "c")))
    assert (found[None, "auc_minus_random"].value, found[None, "auc_minus_random"].error) == (0, 0)


def test_errors_are_listed_by_their_sources(comparison):
    auc = records(comparison)[None, "auc"]
    assert auc.error_parts.seeds is None
    assert max(auc.error_parts.jets, auc.error_parts.draws) < 1.2 * auc.error
    assert np.hypot(auc.error_parts.jets, auc.error_parts.draws) == pytest.approx(auc.error, rel=0.25)


def test_scores_of_training_seeds_have_an_error_from_seeds(comparison):
    of_draws, of_seeds = (records(replace(comparison, of_seeds=of_seeds))[None, "auc"] for of_seeds in (False, True))
    assert (of_seeds.n_draws, of_seeds.n_seeds) == (of_draws.n_seeds, of_draws.n_draws) == (1, 3)
    assert (of_seeds.value, of_seeds.error_parts.draws) == (of_draws.value, None)
    assert of_seeds.error_parts.seeds == of_draws.error_parts.draws


def test_calibration_agrees_with_sklearn(comparison):
    """Its `calibration_curve` of all draws together."""
    curve = roc_curves(comparison)[0].calibration
    is_signal = np.tile(comparison.classes == 0, 3)
    probability = expit(comparison.scores[0]).ravel()
    observed, predicted = calibration_curve(is_signal, probability, n_bins=15)
    assert np.allclose(curve.observed, observed)
    assert np.allclose(curve.predicted, predicted)
    assert sum(curve.n_jets) == pytest.approx(len(comparison.classes))


def test_curves_rise_and_lie_below_chance_for_a_good_input(comparison):
    good, noise = roc_curves(comparison)
    for curve in (good, noise):
        assert (np.diff(curve.background_efficiency) >= 0).all()
        assert curve.signal_efficiency[-1] == 1
    half = good.signal_efficiency.index(0.5)
    assert good.background_efficiency[half] < 0.1 < noise.background_efficiency[half]
