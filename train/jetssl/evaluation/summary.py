"""From scores to records: means over draws, errors from draws and test set, paired differences.

Letters: T test jets, K draws, M replicas.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jetssl.common.roc import WeightedRoc, auc
from jetssl.evaluation.bootstrap import Sample, Statistic, bootstrap, spread
from jetssl.evaluation.metrics import WORKING_POINTS, background_efficiency, rejection
from jetssl.evaluation.results import Baseline, Origin, Result, RocCurve
from jetssl.evaluation.task import Task
from resim.common.arrays import Floats

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
    """of each input, float64 `(K, T)`"""
    n_labels: int
    all_labels: bool
    origin: Origin
    method: str = METHOD

    @property
    def is_signal(self) -> npt.NDArray[np.bool_]:
        """Bool `(T,)`."""
        return self.task.is_signal[self.task.test]


def summarize(comparison: Comparison) -> list[Result]:
    """AUC, rejections, and the difference of the first input to every other one."""
    replicas = _replicas(comparison)
    means = [np.mean([_auc(draw, comparison.is_signal) for draw in scores]) for scores in comparison.scores]
    results = []
    for index in range(len(comparison.names)):
        results.append(_result(comparison, index, "auc", float(means[index]), replicas[index, :, 0]))
        results += _rejections(comparison, index, replicas[index, :, 1:])
    for index, (baseline, _) in enumerate(comparison.names[1:], start=1):
        difference = replicas[0, :, 0] - replicas[index, :, 0]
        results.append(_result(comparison, 0, f"auc_minus_{baseline}", float(means[0] - means[index]), difference))
    return results


def roc_curves(comparison: Comparison) -> list[RocCurve]:
    """Mean background efficiency over draws on a grid of signal efficiencies, for every input."""
    return [
        RocCurve(
            task=comparison.task.name,
            baseline=baseline,
            n_labels=comparison.n_labels,
            all_labels=comparison.all_labels,
            n_background=int((~comparison.is_signal).sum()),
            signal_efficiency=CURVE.round(4).tolist(),
            background_efficiency=_efficiencies(comparison, index, CURVE).mean(0).tolist(),
        )
        for index, (baseline, _) in enumerate(comparison.names)
    ]


def _auc(scores: Floats, is_signal: npt.NDArray[np.bool_]) -> float:
    return auc(scores[is_signal], scores[~is_signal])


def _replicas(comparison: Comparison) -> Floats:
    """AUC and eps_b at the working points, averaged over draws; those of all inputs are paired.

    Returns:
        `(inputs, M, 1 + working points)`.
    """
    points = np.array(WORKING_POINTS)
    sample = Sample(comparison.task.hard_scatter, 1, len(comparison.scores[0]))

    def figures(draw: Floats) -> Statistic:
        roc = WeightedRoc(draw, comparison.is_signal)
        return lambda weights: np.asarray(roc(weights, points), np.float64)

    return np.stack(
        [
            bootstrap([[figures(draw) for draw in scores]], sample, comparison.origin.seed, comparison.n_labels)
            for scores in comparison.scores
        ]
    )


def _efficiencies(comparison: Comparison, index: int, signal_efficiency: Floats) -> Floats:
    """Background efficiency `(K, len(signal_efficiency))`."""
    is_signal = comparison.is_signal
    return np.stack(
        [
            background_efficiency(draw[is_signal], draw[~is_signal], signal_efficiency)
            for draw in comparison.scores[index]
        ]
    )


def _rejections(comparison: Comparison, index: int, replicas: Floats) -> list[Result]:
    by_draw = _efficiencies(comparison, index, np.array(WORKING_POINTS))
    n_background = int((~comparison.is_signal).sum())
    results = []
    for number, (point, efficiencies) in enumerate(zip(WORKING_POINTS, by_draw.T, strict=True)):
        mean = float(efficiencies.mean())
        found = rejection(mean, n_background)
        # Of 1 / eps_b to first order: a replica in which no background passes has no rejection.
        linear = (2 - replicas[:, number] / mean) / mean if found.value is not None else None
        high = found.interval.high if math.isfinite(found.interval.high) else None
        name = f"rejection_at_{point}"
        results.append(_result(comparison, index, name, found.value, linear, found.interval.low, high))
    return results


def _result(  # noqa: PLR0913, PLR0917
    comparison: Comparison,
    index: int,
    metric: str,
    value: float | None,
    replicas: Floats | None,
    low: float | None = None,
    high: float | None = None,
) -> Result:
    baseline, encoder = comparison.names[index]
    return Result(
        task=comparison.task.name,
        encoder=encoder,
        baseline=baseline,
        method=comparison.method,
        view=comparison.view,
        n_labels=comparison.n_labels,
        all_labels=comparison.all_labels,
        n_draws=len(comparison.scores[index]),
        metric=metric,
        value=value,
        error=None if replicas is None else spread(replicas),
        replicas=None if replicas is None else tuple(replicas.tolist()),
        low=low,
        high=high,
        n_test=len(comparison.task.test),
        n_hard_scatters=len(np.unique(comparison.task.hard_scatter)),
        seed=comparison.origin.seed,
        command=comparison.origin.command,
        test_set=comparison.task.test_set,
    )
