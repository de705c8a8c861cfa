"""Tagging metrics with their statistical errors.

Where several draws of labels or trainings are averaged, see `jetssl.evaluation.bootstrap`; distances between score
distributions are in `jetssl.evaluation.distances`.

Letters: S signal jets, B background jets, T test jets, C classes.
"""

import math
from dataclasses import dataclass
from itertools import permutations
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from jetssl.common.roc import Scores, WeightedRoc

ONE_SIGMA = 0.682689492137086
"""Coverage of the intervals."""
WORKING_POINTS = (0.3, 0.5, 0.7, 0.8)
"""Signal efficiencies at which the background rejection is quoted."""
MISTAG = 0.01
"""Background efficiency at which the signal efficiency is quoted."""
LIMIT = 0.95
"""Confidence of the limit that is quoted where no background passes."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided interval; `high` is infinite if there is only a lower limit."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Rejection:
    """Background rejection 1 / eps_b at a signal efficiency."""

    value: float | None
    """None if no background jet passes: then `interval.low` is a lower limit and nothing else is known"""
    interval: Interval
    """68.3 % Wilson interval from the number of background jets, or from the exact limit at 95 % up to infinity"""


def background_efficiency(signal: Scores, background: Scores, signal_efficiency: Scores | float) -> Scores:
    """Share of background jets above the highest cut that keeps at least a share of the signal.

    Args:
        signal: scores `(S,)`.
        background: scores `(B,)`.
        signal_efficiency: wanted shares of the signal in (0, 1], any shape.

    Returns:
        eps_b, the shape of `signal_efficiency`.
    """
    kept = np.ceil(np.asarray(signal_efficiency) * len(signal) - 1e-9).astype(int)
    cut = np.sort(signal)[::-1][np.maximum(kept, 1) - 1]
    return np.asarray(1 - np.searchsorted(np.sort(background), cut, "left") / len(background))


def signal_efficiency(signal: Scores, background: Scores, background_efficiency: Scores | float) -> Scores:
    """Share of signal jets above the lowest cut that lets at most a share of the background pass.

    Args:
        signal: scores `(S,)`.
        background: scores `(B,)`.
        background_efficiency: largest shares of the background in [0, 1), any shape.

    Returns:
        eps_s, the shape of `background_efficiency`.
    """
    passing = np.floor(np.asarray(background_efficiency) * len(background) + 1e-9).astype(int)
    highest_refused = np.sort(background)[::-1][passing]
    return np.asarray(1 - np.searchsorted(np.sort(signal), highest_refused, "right") / len(signal))


def wilson(passing: float, total: float, coverage: float = ONE_SIGMA) -> Interval:
    """Wilson's score interval of a binomial probability (doi:10.1080/01621459.1927.10502953).

    Args:
        passing: successes; a mean over draws may be fractional.
        total: trials.
        coverage: of the interval.
    """
    z = NormalDist().inv_cdf((1 + coverage) / 2)
    p = passing / total
    centre = (p + z**2 / (2 * total)) / (1 + z**2 / total)
    half = z / (1 + z**2 / total) * math.sqrt(p * (1 - p) / total + z**2 / (4 * total**2))
    return Interval(max(centre - half, 0.0) if passing else 0.0, min(centre + half, 1.0))


def rejection(efficiency: float, n_background: float) -> Rejection:
    """1 / eps_b with its interval; if no background passes, the exact binomial limit at 95 %.

    With weights, `n_background` is the `effective_number`.

    >>> rejection(0.0, 100).value is None, round(rejection(0.0, 100).interval.low, 1)
    (True, 33.9)
    """
    if efficiency <= 0:
        return Rejection(None, Interval(1 / (1 - (1 - LIMIT) ** (1 / n_background)), math.inf))
    interval = wilson(efficiency * n_background, n_background)
    high = 1 / interval.low if interval.low > 0 else math.inf
    return Rejection(1 / efficiency, Interval(1 / interval.high, high))


def effective_number(weights: npt.NDArray[Any]) -> float:
    """Number of jets of equal weight that are worth as much: (sum w)^2 / sum w^2."""
    return float(weights.sum() ** 2 / (weights**2).sum())


class OneAgainstOne:
    """AUC of several classes: the mean over pairs of classes (Hand and Till, doi:10.1023/A:1010920819831).

    Of a pair (i, j) it is the mean of two AUCs: class i against j by the probability of i, and j against i by that
    of j. With equal weights this is `sklearn.metrics.roc_auc_score(multi_class="ovo")`, which knows no weights.

    Args:
        probabilities: `(T, C)`.
        classes: index of the class of each jet, `(T,)`; all C occur.
    """

    def __init__(self, probabilities: Scores, classes: npt.NDArray[np.integer[Any]]) -> None:
        self._pairs = []
        for i, j in permutations(range(probabilities.shape[1]), 2):
            chosen = np.flatnonzero((classes == i) | (classes == j))
            self._pairs.append((chosen, WeightedRoc(probabilities[chosen, i], classes[chosen] == i)))

    def __call__(self, weights: npt.NDArray[Any]) -> float:
        """The mean, where jet i counts `weights[i]` times; NaN if a class has no weight."""
        return float(np.mean([roc(weights[chosen], np.array([]))[0] for chosen, roc in self._pairs]))


@dataclass(frozen=True, slots=True)
class Reliability:
    """How often what was said to be signal is signal, in bins of the probability that was said."""

    predicted: Scores
    """mean probability in each bin that is not empty"""
    observed: Scores
    """share of signal in it"""
    share: Scores
    """share of the jets in it"""

    @property
    def expected_error(self) -> float:
        """Expected calibration error, the mean of |observed - predicted| over jets (arXiv:1706.04599, eq. 3)."""
        return float((self.share * np.abs(self.observed - self.predicted)).sum())


def reliability(
    probability: Scores, is_signal: npt.NDArray[np.bool_], weights: npt.NDArray[Any] | None = None, bins: int = 15
) -> Reliability:
    """Calibration of a probability in bins of equal width.

    Args:
        probability: of being signal, `(T,)`, in [0, 1].
        is_signal: bool `(T,)`.
        weights: of the jets, `(T,)`; None for 1.
        bins: their number; 15 in arXiv:1706.04599.
    """
    weights = np.ones(len(probability)) if weights is None else weights
    place = np.minimum((probability * bins).astype(int), bins - 1)
    total, said, seen = (
        np.bincount(place, values, bins) for values in (weights, weights * probability, weights * is_signal)
    )
    filled = total > 0
    total = total[filled]
    return Reliability(said[filled] / total, seen[filled] / total, total / total.sum())
