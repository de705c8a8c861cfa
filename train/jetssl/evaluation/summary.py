"""From scores to records: means over draws, errors from draws and test set, paired differences.

Letters: T test jets, C classes, K draws or training seeds, M replicas, F figures.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from jetssl.common.roc import WeightedRoc
from jetssl.evaluation.bootstrap import Sample, bootstrap, error_parts, spread
from jetssl.evaluation.metrics import effective_number, rejection, reliability
from jetssl.evaluation.results import Baseline, Calibration, Origin, Result, RocCurve
from jetssl.evaluation.scoring import BACKGROUND_EFFICIENCY, TAGGING, Figure, Judge
from jetssl.evaluation.task import Task
from resim.common.arrays import Floats, Integers

METHOD = "linear_probe"
CURVE = np.linspace(0.02, 1, 99)
"""Signal efficiencies of a ROC curve."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Scores of several inputs of the probe on the same test jets, with the same labels in every draw."""

    task: Task
    view: str
    names: list[tuple[Baseline | None, str | None]]
    """(baseline, encoder) of each input; the first is the one that the others are baselines of"""
    scores: list[Floats]
    """of each input, float64 `(K, T)` for two classes, else `(K, T, C)`"""
    n_labels: int
    all_labels: bool
    origin: Origin
    method: str = METHOD
    layer: str = "encoder"
    of_seeds: bool = False
    """whether scores are of training seeds instead of draws"""
    judge: Judge = TAGGING
    """which figures"""

    @property
    def sample(self) -> Sample:
        """What was drawn."""
        fits = len(self.scores[0])
        return Sample(self.task.hard_scatter, *((fits, 1) if self.of_seeds else (1, fits)))

    @property
    def classes(self) -> Integers:
        """Index of the class of each test jet, int64 `(T,)`."""
        return self.task.class_index[self.task.test]

    @property
    def weights(self) -> Floats:
        """Of each test jet, `(T,)`."""
        return self.task.weights[self.task.test]

    @property
    def n_background(self) -> int:
        """Test jets that are not of the first class."""
        return int((self.classes != 0).sum())


def summarize(comparison: Comparison) -> list[Result]:
    """Every figure of every input, and the difference in AUC of the first input to every other one."""
    figures = comparison.judge.figures_of(comparison.task.classes, comparison.n_background)
    values = [_values(comparison, scores) for scores in comparison.scores]
    replicas = _replicas(comparison)
    results = [
        _record(comparison, index, figure, values[index][number], replicas[index][..., number])
        for index in range(len(comparison.names))
        for number, figure in enumerate(figures)
    ]
    for index, (baseline, _) in enumerate(comparison.names[1:], start=1):
        difference, replica = values[0][0] - values[index][0], replicas[0][..., 0] - replicas[index][..., 0]
        results.append(_record(comparison, 0, Figure(f"auc_minus_{baseline}"), difference, replica))
    return results


def roc_curves(comparison: Comparison) -> list[RocCurve]:
    """Mean background efficiency over draws on a grid of signal efficiencies, for every input; of two classes."""
    if len(comparison.task.groups) > 2:
        return []
    return [
        RocCurve(
            task=comparison.task.name,
            method=comparison.method,
            baseline=baseline,
            n_labels=comparison.n_labels,
            all_labels=comparison.all_labels,
            n_background=comparison.n_background,
            signal_efficiency=CURVE.round(4).tolist(),
            background_efficiency=_curves(comparison, index).mean(0).tolist(),
            calibration=_calibration(comparison, index) if comparison.judge is TAGGING else None,
        )
        for index, (baseline, _) in enumerate(comparison.names)
    ]


def _values(comparison: Comparison, scores: Floats) -> Floats:
    """Mean over draws, `(F,)`."""
    once = np.ones(len(comparison.classes), np.int64)
    of_draws = [comparison.judge.statistic(draw, comparison.classes, comparison.weights)(once) for draw in scores]
    return np.asarray(np.mean(of_draws, axis=0))


def _replicas(comparison: Comparison) -> list[Floats]:
    """Replicas of the figures of each input, as `bootstrap` has them; those of all inputs are paired."""
    of_inputs = [
        [comparison.judge.statistic(fit, comparison.classes, comparison.weights) for fit in scores]
        for scores in comparison.scores
    ]
    return [
        bootstrap(
            [[one] for one in fits] if comparison.of_seeds else [fits],
            comparison.sample,
            comparison.origin.seed,
            comparison.n_labels,
        )
        for fits in of_inputs
    ]


def _calibration(comparison: Comparison, index: int) -> Calibration:
    scores, is_signal = comparison.scores[index], comparison.classes == 0
    found = reliability(
        expit(scores).ravel(), np.tile(is_signal, len(scores)), np.tile(comparison.weights, len(scores))
    )
    n_jets = found.share * effective_number(comparison.weights)
    return Calibration(predicted=found.predicted.tolist(), observed=found.observed.tolist(), n_jets=n_jets.tolist())


def _curves(comparison: Comparison, index: int) -> Floats:
    """Background efficiency `(K, len(CURVE))`."""
    is_signal, weights = comparison.classes == 0, comparison.weights
    return np.stack([WeightedRoc(draw, is_signal)(weights, CURVE)[1:] for draw in comparison.scores[index]])


def _record(comparison: Comparison, index: int, figure: Figure, value: float, replicas: Floats) -> Result:
    if figure.metric.startswith(BACKGROUND_EFFICIENCY):
        return _rejection(comparison, index, figure, float(value), replicas)
    return _result(comparison, index, figure, float(value), replicas)


def _rejection(comparison: Comparison, index: int, figure: Figure, mean: float, replicas: Floats) -> Result:
    number = effective_number(comparison.weights[comparison.classes != 0])
    found = rejection(mean, number)
    # Of 1 / eps_b to first order: a replica in which no background passes has no rejection.
    linear = (2 - replicas / mean) / mean if found.value is not None else None
    high = found.interval.high if math.isfinite(found.interval.high) else None
    name = Figure("rejection_at_" + figure.metric.removeprefix(BACKGROUND_EFFICIENCY))
    return _result(comparison, index, name, found.value, linear, found.interval.low, high)


def _result(  # noqa: PLR0913, PLR0917
    comparison: Comparison,
    index: int,
    figure: Figure,
    value: float | None,
    replicas: Floats | None,
    low: float | None = None,
    high: float | None = None,
) -> Result:
    baseline, encoder = comparison.names[index]
    task = comparison.task
    return Result(
        task=task.name,
        classes=task.classes,
        encoder=encoder,
        baseline=baseline,
        method=comparison.method,
        layer=comparison.layer if encoder else "encoder",
        view=comparison.view,
        n_labels=comparison.n_labels,
        all_labels=comparison.all_labels,
        n_draws=comparison.sample.n_draws,
        n_seeds=comparison.sample.n_seeds,
        metric=figure.metric,
        jet_class=figure.jet_class,
        value=value,
        error=None if replicas is None else spread(replicas[0]),
        error_parts=None if replicas is None else error_parts(replicas, comparison.sample),
        replicas=None if replicas is None else tuple(replicas[0].tolist()),
        low=low,
        high=high,
        n_test=len(task.test),
        n_hard_scatters=len(np.unique(task.hard_scatter)),
        weighted=task.weighted,
        seed=comparison.origin.seed,
        command=comparison.origin.command,
        test_set=task.test_set,
    )
