"""Figures of the scores of one fit, as functions of how often each test jet counts.

Letters: T test jets, C classes, F figures.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import expit, softmax

from jetssl.common.roc import WeightedRoc
from jetssl.evaluation.bootstrap import Statistic
from jetssl.evaluation.metrics import MISTAG, WORKING_POINTS, OneAgainstOne, reliability
from resim.common.arrays import Floats, Integers

BACKGROUND_EFFICIENCY: Final = "background_efficiency_at_"
SIGNAL_EFFICIENCY: Final = f"signal_efficiency_at_{MISTAG}"
IMPROVEMENT: Final = "significance_improvement"
FEWEST_PASSING: Final = 25
"""Background jets that a cut must let pass for a significance improvement: their number is known to 20 %."""
FEWEST_BACKGROUND: Final = round(1 / MISTAG)
"""Background jets below which no cut has an efficiency of `MISTAG`."""


Figures = Callable[[Floats], Floats]
"""Weights of the test jets, `(T,)` → `(F,)`."""


class Figure(NamedTuple):
    """What is measured."""

    metric: str
    jet_class: str | None = None


def figures_of(classes: Sequence[str], n_background: int) -> list[Figure]:
    """What `statistic` gives, in its order.

    Args:
        classes: their names.
        n_background: test jets that are not of the first class.
    """
    common = [Figure("accuracy"), Figure("expected_calibration_error")]
    if len(classes) > 2:
        several = [Figure(metric, name) for metric in ("auc", "accuracy") for name in classes]
        return [Figure("auc"), *common, *several]
    mistags = [Figure(f"{BACKGROUND_EFFICIENCY}{point}") for point in WORKING_POINTS]
    known = [Figure(SIGNAL_EFFICIENCY)] if n_background >= FEWEST_BACKGROUND else []
    return [Figure("auc"), *mistags, *known, *common]


def statistic(outputs: Floats, classes: Integers, weights: Floats) -> Statistic:
    """Figures of one fit.

    Args:
        outputs: of a head, `(T,)` for two classes, else `(T, C)`.
        classes: index of the class of each jet, int64 `(T,)`.
        weights: of its event, `(T,)`.

    Returns:
        How often each jet counts, `(T,)` → `(F,)`; NaN where a class does not occur.
    """
    figures = _of_two(outputs, classes == 0) if outputs.ndim == 1 else _of_several(outputs, classes)
    return lambda counts: figures(counts * weights)


def _of_two(outputs: Floats, is_signal: npt.NDArray[np.bool_]) -> Figures:
    roc, probability = WeightedRoc(outputs, is_signal), expit(outputs)
    right = (outputs > 0) == is_signal
    points = np.array(WORKING_POINTS)
    mistags = np.array([MISTAG] if (~is_signal).sum() >= FEWEST_BACKGROUND else [])

    def figures(weights: Floats) -> Floats:
        calibration = reliability(probability, is_signal, weights).expected_error
        common = [np.average(right, weights=weights), calibration]
        return np.concatenate([roc(weights, points, mistags), common])

    return figures


def _of_several(outputs: Floats, classes: Integers) -> Figures:
    """AUC over pairs; then of each class against all others, and the share of it that is recognized."""
    probability = softmax(outputs, axis=1)
    said = probability.argmax(1)
    right, confidence = said == classes, probability.max(1)
    pairs = OneAgainstOne(probability, classes)
    members = [classes == index for index in range(outputs.shape[1])]
    alone = [WeightedRoc(probability[:, index], member) for index, member in enumerate(members)]
    nowhere = np.array([])

    def figures(weights: Floats) -> Floats:
        calibration = reliability(confidence, right, weights).expected_error
        whole = [pairs(weights), np.average(right, weights=weights), calibration]
        areas = [float(roc(weights, nowhere)[0]) for roc in alone]
        with np.errstate(invalid="ignore"):
            found = [(weights * member * right).sum() / (weights * member).sum() for member in members]
        return np.array([*whole, *areas, *found])

    return figures


class Judge(NamedTuple):
    """Which figures judge scores."""

    figures_of: Callable[[Sequence[str], int], list[Figure]]
    """names of the classes, number of background jets → what `statistic` gives"""
    statistic: Callable[[Floats, Integers, Floats], Statistic]
    """outputs, classes, weights → figures, see `statistic`"""


def _anomaly_figures_of(classes: Sequence[str], n_background: int) -> list[Figure]:
    """Without those that read a score as a probability."""
    kept = [figure for figure in figures_of(classes, n_background) if figure.metric not in _OF_PROBABILITIES]
    return kept + [Figure(IMPROVEMENT)] * (n_background >= FEWEST_PASSING)


def _anomaly_statistic(outputs: Floats, classes: Integers, weights: Floats) -> Statistic:
    is_signal = classes == 0
    roc, n_background = WeightedRoc(outputs, is_signal), int((~is_signal).sum())
    points = np.array(WORKING_POINTS)
    mistags = np.array([MISTAG] if n_background >= FEWEST_BACKGROUND else [])

    least = FEWEST_PASSING / n_background

    def figures(weights: Floats) -> Floats:
        found = roc(weights, points, mistags)
        improvement = [roc.significance_improvement(weights, least)] if least <= 1 else []
        return np.concatenate([found, improvement])

    return lambda counts: figures(counts * weights)


_OF_PROBABILITIES: Final = {"accuracy", "expected_calibration_error"}
TAGGING: Final = Judge(figures_of, statistic)
"""Of classifiers."""
ANOMALIES: Final = Judge(_anomaly_figures_of, _anomaly_statistic)
"""Of scores that only order jets."""
