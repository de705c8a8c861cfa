"""Tagging metrics with their statistical errors.

Letters: S signal jets, B background jets, G hard scatters of the test set.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.floating[Any]]

ONE_SIGMA = 0.682689492137086
"""Coverage of the intervals."""
WORKING_POINTS = (0.3, 0.5, 0.7)
"""Signal efficiencies at which the background rejection is quoted."""


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
    """68.3 % Wilson interval from the number of background jets"""


def auc(signal: Scores, background: Scores) -> float:
    """Probability that a signal jet scores above a background jet; ties count half.

    >>> auc(np.array([1.0, 2.0]), np.array([0.0, 1.0]))
    0.875
    """
    ordered = np.sort(background)
    below = np.searchsorted(ordered, signal, "left")
    not_above = np.searchsorted(ordered, signal, "right")
    return float((below + not_above).mean() / (2 * len(background)))


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


def wilson(passing: float, total: int, coverage: float = ONE_SIGMA) -> Interval:
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


def rejection(efficiency: float, n_background: int) -> Rejection:
    """1 / eps_b with its interval; a limit if no background passes.

    >>> rejection(0.0, 100).value is None, round(rejection(0.0, 100).interval.low)
    (True, 101)
    """
    interval = wilson(efficiency * n_background, n_background)
    high = 1 / interval.low if interval.low > 0 else math.inf
    return Rejection(1 / efficiency if efficiency > 0 else None, Interval(1 / interval.high, high))


def bootstrap_weights(groups: npt.NDArray[Any], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """How often each jet enters a replica that draws whole groups (hard scatters) with replacement.

    Args:
        groups: identity of the group of each jet, `(S + B,)`.
        rng: random numbers.

    Returns:
        int64 `(S + B,)`; jets of one group share their weight.
    """
    names, member = np.unique(groups, return_inverse=True)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)))
    return np.asarray(drawn[member], np.int64)


class WeightedRoc:
    """AUC and background efficiencies of fixed scores for many sets of weights; sorts once.

    Args:
        scores: `(S + B,)`.
        is_signal: bool `(S + B,)`.
    """

    def __init__(self, scores: Scores, is_signal: npt.NDArray[np.bool_]) -> None:
        _, self._level = np.unique(-scores, return_inverse=True)
        self._is_signal = is_signal

    def __call__(self, weights: npt.NDArray[Any], signal_efficiency: Scores) -> Scores:
        """AUC, then eps_b at each signal efficiency, where jet i counts `weights[i]` times.

        Returns:
            `(1 + len(signal_efficiency),)`; NaN if a class has no weight.
        """
        size = int(self._level.max()) + 1
        signal = np.bincount(self._level, weights * self._is_signal, size)
        background = np.bincount(self._level, weights * ~self._is_signal, size)
        total = signal.sum() * background.sum()
        if not total:
            return np.full(1 + len(signal_efficiency), math.nan)
        kept, passing = np.cumsum(signal), np.cumsum(background)
        area = (signal * (passing[-1] - passing + background / 2)).sum() / total
        cut = np.searchsorted(kept, signal_efficiency * kept[-1] - 1e-9, "left")
        return np.concatenate([[area], passing[cut] / passing[-1]])
