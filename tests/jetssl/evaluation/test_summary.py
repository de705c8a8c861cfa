"""From scores to records, with known scores."""

import numpy as np
import pytest

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


def test_curves_rise_and_lie_below_chance_for_a_good_input(comparison):
    good, noise = roc_curves(comparison)
    for curve in (good, noise):
        assert (np.diff(curve.background_efficiency) >= 0).all()
        assert curve.signal_efficiency[-1] == 1
    half = good.signal_efficiency.index(0.5)
    assert good.background_efficiency[half] < 0.1 < noise.background_efficiency[half]
