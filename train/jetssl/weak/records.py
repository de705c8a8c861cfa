"""From the scores of several ways to learn to records, with paired differences and shares of a gap.

Letters: T test jets, S training seeds, K label draws, M replicas.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jetssl.common.roc import WeightedRoc
from jetssl.evaluation.bootstrap import Sample, Statistic, bootstrap, error_parts, spread
from jetssl.evaluation.results import Baseline, Origin, Result
from jetssl.evaluation.task import hash_of
from resim.common.arrays import Floats

CARD_FILE = "wsl.yaml"
RESULTS_FILE = "results.json"
"""Names in the folder of a study."""
METRICS = ("auc", "balanced_accuracy")
"""Order without and with a cut: noise that depends on the class moves the cut more than the order."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to learn, and what came of it."""

    run: str
    """its name, unlike all others of the study"""
    method: str
    scores: Floats
    """probability of signal, `(S, K, T)`"""
    n_labels: int
    all_labels: bool = True
    baseline: Baseline | None = None
    noise: str | None = None
    train_view: str | None = None
    """whose labels"""


@dataclass(frozen=True, slots=True)
class JudgedJets:
    """What all arms of a comparison are tested on."""

    task: str
    view: str
    encoder: str
    is_signal: npt.NDArray[np.bool_]
    """bool `(T,)`"""
    hard_scatter: npt.NDArray[np.uint64]
    """uint64 `(T,)`"""


@dataclass(frozen=True, slots=True)
class Figures:
    """Metrics of an arm, and their replicas."""

    arm: Arm
    values: Floats
    """of each of `METRICS`"""
    replicas: Floats
    """`(1 + len(SOURCES), M, metrics)`, as of `bootstrap`"""
    sample: Sample
    """what was drawn"""


def figures(arm: Arm, test: JudgedJets, seed: int) -> Figures:
    """AUC and balanced accuracy, mean over all fits; replicas of arms with equal S and K are paired."""
    n_seeds, n_draws, size = arm.scores.shape
    statistics = [[_statistic(scores, test.is_signal) for scores in of_seed] for of_seed in arm.scores]
    ones = np.ones(size, np.int64)
    values = np.mean([statistic(ones) for of_seed in statistics for statistic in of_seed], axis=0)
    sample = Sample(test.hard_scatter, n_seeds, n_draws)
    return Figures(arm, values, bootstrap(statistics, sample, seed), sample)


def _statistic(scores: Floats, is_signal: npt.NDArray[np.bool_]) -> Statistic:
    roc, right = WeightedRoc(scores, is_signal), (scores > 0.5) == is_signal

    def of(weights: npt.NDArray[Any]) -> Floats:
        rates = [(weights * right * kind).sum() / max((weights * kind).sum(), 1) for kind in (is_signal, ~is_signal)]
        return np.array([roc(weights, np.array([]))[0], np.mean(rates)])

    return of


def records(found: Figures, test: JudgedJets, origin: Origin, reference: Figures | None = None) -> list[Result]:
    """Records of an arm; of its metrics minus those of a reference, too, if there is one."""
    results = [
        record(found, test, origin, name, float(value), spread(found.replicas[0, :, index])).model_copy(
            update={"error_parts": error_parts(found.replicas[..., index], found.sample)}
        )
        for index, (name, value) in enumerate(zip(METRICS, found.values, strict=True))
    ]
    if reference is not None:
        for index, name in enumerate(METRICS):
            error = spread(found.replicas[0, :, index] - reference.replicas[0, :, index])
            difference = float(found.values[index] - reference.values[index])
            results.append(
                record(found, test, origin, f"{name}_difference", difference, error, reference.arm.run, null=0.0)
            )
    return results


def gap_closed(found: Figures, low: Figures, high: Figures, test: JudgedJets, origin: Origin) -> Result:
    """Share of the AUC between two arms that a third one gains on the lower one.

    Its error is half the width of the central 68 % of the replicas: a ratio has no finite variance.

    Args:
        found: the arm.
        low: simulation only.
        high: the oracle.
        test: what they were tested on.
        origin: for the record.

    Returns:
        A record; its value is None if there is no gap.
    """
    shares = [
        np.divide(up, gap, out=np.full_like(up, np.nan), where=gap != 0)
        for up, gap in (
            (found.values[:1] - low.values[:1], high.values[:1] - low.values[:1]),
            ((found.replicas - low.replicas)[0, :, 0], (high.replicas - low.replicas)[0, :, 0]),
        )
    ]
    if np.isnan(shares[0]).any():
        return record(found, test, origin, "gap_closed", None, None, high.arm.run)
    lower, upper = np.nanquantile(shares[1], (0.1587, 0.8413)).tolist()
    result = record(found, test, origin, "gap_closed", float(shares[0][0]), (upper - lower) / 2, high.arm.run)
    return result.model_copy(update={"low": lower, "high": upper})


def record(  # noqa: PLR0913, PLR0917
    found: Figures,
    test: JudgedJets,
    origin: Origin,
    metric: str,
    value: float | None,
    error: float | None,
    reference: str | None = None,
    null: float | None = None,
) -> Result:
    """A number about an arm."""
    arm = found.arm
    return Result(
        task=test.task,
        encoder=test.encoder,
        baseline=arm.baseline,
        method=arm.method,
        view=test.view,
        n_labels=arm.n_labels,
        all_labels=arm.all_labels,
        n_draws=arm.scores.shape[1],
        n_seeds=arm.scores.shape[0],
        metric=metric,
        value=value,
        error=error,
        null=null,
        n_test=len(test.is_signal),
        n_hard_scatters=len(np.unique(test.hard_scatter)),
        seed=origin.seed,
        command=origin.command,
        run=arm.run,
        reference=reference,
        noise=arm.noise,
        train_view=arm.train_view,
        test_set=hash_of(test.hard_scatter),
    )


def measured(values: Sequence[Arm], test: JudgedJets, seed: int) -> dict[str, Figures]:
    """Figures of several arms by their names."""
    return {arm.run: figures(arm, test, seed) for arm in values}
