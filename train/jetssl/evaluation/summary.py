"""From scores to records: means over draws, errors from draws and test set, paired differences.

Letters: T test jets, K draws, M replicas.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jetssl.common.seeds import Stream, generator
from jetssl.evaluation.metrics import (
    WORKING_POINTS,
    WeightedRoc,
    auc,
    background_efficiency,
    bootstrap_weights,
    rejection,
)
from jetssl.evaluation.results import Baseline, Result, RocCurve
from jetssl.evaluation.task import Task

METHOD = "linear_probe"
N_REPLICAS = 300
"""Bootstrap replicas behind each error: known to about 4 %."""
CURVE = np.linspace(0.02, 1, 99)
"""Signal efficiencies of a ROC curve."""

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Scores of several inputs of the probe on the same test jets, with the same labels in every draw."""

    task: Task
    view: str
    names: list[tuple[Baseline | None, str | None]]
    """(baseline, encoder) of each input; the first is the one that the others are baselines of"""
    scores: list[Float64]
    """of each input, float64 `(K, T)`"""
    n_labels: int
    all_labels: bool

    @property
    def is_signal(self) -> npt.NDArray[np.bool_]:
        """Bool `(T,)`."""
        return self.task.is_signal[self.task.test]


def summarize(comparison: Comparison, seed: int) -> list[Result]:
    """AUC, rejections, and the difference of the first input to every other one."""
    replicas = _replicas(comparison, seed)
    means = [np.mean([_auc(draw, comparison.is_signal) for draw in scores]) for scores in comparison.scores]
    results = []
    for index in range(len(comparison.names)):
        results.append(_result(comparison, index, "auc", float(means[index]), _spread(replicas[index, :, 0])))
        results += _rejections(comparison, index, replicas[index, :, 1:])
    for index, (baseline, _) in enumerate(comparison.names[1:], start=1):
        error = _spread(replicas[0, :, 0] - replicas[index, :, 0])
        results.append(_result(comparison, 0, f"auc_minus_{baseline}", float(means[0] - means[index]), error))
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


def _auc(scores: Float64, is_signal: npt.NDArray[np.bool_]) -> float:
    return auc(scores[is_signal], scores[~is_signal])


def _replicas(comparison: Comparison, seed: int) -> Float64:
    """AUC and eps_b at the working points, averaged over draws, for replicas of test set and draws together.

    A replica resamples the hard scatters of the test set and, jointly for all inputs, the draws; so differences of
    two inputs in one replica are paired in both.

    Returns:
        `(inputs, M, 1 + working points)`.
    """
    curves = [[WeightedRoc(draw, comparison.is_signal) for draw in scores] for scores in comparison.scores]
    rng = generator(seed, Stream.BOOTSTRAP, comparison.n_labels)
    points = np.array(WORKING_POINTS)
    replicas = np.zeros((len(curves), N_REPLICAS, 1 + len(points)))
    n_draws = len(comparison.scores[0])
    for replica in range(N_REPLICAS):
        weights = bootstrap_weights(comparison.task.hard_scatter, rng)
        share = rng.multinomial(n_draws, np.full(n_draws, 1 / n_draws)) / n_draws
        for index, draws in enumerate(curves):
            for part, draw in zip(share, draws, strict=True):
                if part:
                    replicas[index, replica] += part * draw(weights, points)
    return replicas


def _spread(replicas: Float64) -> float:
    """Standard deviation over the replicas in which both classes occur."""
    return float(np.nanstd(replicas, ddof=1))


def _efficiencies(comparison: Comparison, index: int, signal_efficiency: Float64) -> Float64:
    """Background efficiency `(K, len(signal_efficiency))`."""
    is_signal = comparison.is_signal
    return np.stack(
        [
            background_efficiency(draw[is_signal], draw[~is_signal], signal_efficiency)
            for draw in comparison.scores[index]
        ]
    )


def _rejections(comparison: Comparison, index: int, replicas: Float64) -> list[Result]:
    by_draw = _efficiencies(comparison, index, np.array(WORKING_POINTS))
    n_background = int((~comparison.is_signal).sum())
    results = []
    for number, (point, efficiencies) in enumerate(zip(WORKING_POINTS, by_draw.T, strict=True)):
        mean = float(efficiencies.mean())
        found = rejection(mean, n_background)
        error = _spread(replicas[:, number]) / mean**2 if found.value is not None else None
        high = found.interval.high if math.isfinite(found.interval.high) else None
        name = f"rejection_at_{point}"
        results.append(_result(comparison, index, name, found.value, error, found.interval.low, high))
    return results


def _result(  # noqa: PLR0913, PLR0917
    comparison: Comparison,
    index: int,
    metric: str,
    value: float | None,
    error: float | None,
    low: float | None = None,
    high: float | None = None,
) -> Result:
    baseline, encoder = comparison.names[index]
    return Result(
        task=comparison.task.name,
        encoder=encoder,
        baseline=baseline,
        method=METHOD,
        view=comparison.view,
        n_labels=comparison.n_labels,
        all_labels=comparison.all_labels,
        n_draws=len(comparison.scores[index]),
        metric=metric,
        value=value,
        error=error,
        low=low,
        high=high,
        n_test=len(comparison.task.test),
    )
