"""Area under the ROC curve, and efficiencies, of the scores of two classes.

How often a jet is nearer to its other view than to another jet is not this AUC: see `jetssl.methods.shortcuts`.

Letters: S signal jets, B background jets.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from resim.common.arrays import Booleans

Scores = npt.NDArray[np.floating[Any]]
"""Any width; higher is more like signal."""


def auc(signal: Scores, background: Scores) -> float:
    """Probability that a signal jet scores above a background jet; ties count half.

    >>> auc(np.array([1.0, 2.0]), np.array([0.0, 1.0]))
    0.875
    """
    ordered = np.sort(background)
    below = np.searchsorted(ordered, signal, "left")
    not_above = np.searchsorted(ordered, signal, "right")
    return float((below + not_above).mean() / (2 * len(background)))


class WeightedRoc:
    """AUC and efficiencies of fixed scores for many sets of weights; sorts once.

    Args:
        scores: `(S + B,)`.
        is_signal: bool `(S + B,)`.
    """

    def __init__(self, scores: Scores, is_signal: Booleans) -> None:
        _, self._level = np.unique(-scores, return_inverse=True)
        self._is_signal = is_signal

    def __call__(
        self, weights: npt.NDArray[Any], signal_efficiency: Scores, background_efficiency: Scores | None = None
    ) -> Scores:
        """Figures where jet i counts `weights[i]` times.

        Args:
            weights: `(S + B,)`.
            signal_efficiency: where to quote eps_b, `(P,)`.
            background_efficiency: where to quote eps_s, `(Q,)`; None for nowhere.

        Returns:
            AUC, eps_b at each signal efficiency, eps_s at each background efficiency: `(1 + P + Q,)`; NaN if a class
            has no weight.
        """
        wanted = np.array([]) if background_efficiency is None else background_efficiency
        signal, background = self._by_level(weights)
        total = signal.sum() * background.sum()
        if not total:
            return np.full(1 + len(signal_efficiency) + len(wanted), math.nan)
        kept, passing = np.cumsum(signal), np.cumsum(background)
        area = (signal * (passing[-1] - passing + background / 2)).sum() / total
        kept, passing = kept / kept[-1], passing / passing[-1]
        cut = np.searchsorted(kept, signal_efficiency - 1e-9, "left")
        last = np.searchsorted(passing, wanted + 1e-9, "right")
        return np.concatenate([[area], passing[np.minimum(cut, len(kept) - 1)], np.concatenate([[0.0], kept])[last]])

    def significance_improvement(self, weights: npt.NDArray[Any], least: float) -> float:
        """Largest eps_s / sqrt(eps_b) over the cuts that let at least a share `least` of the background pass.

        Where jet i counts `weights[i]` times; NaN if a class has no weight. 1 is the value without a cut.
        """
        kept, passing = (np.cumsum(counts) for counts in self._by_level(weights))
        if not kept[-1] * passing[-1]:
            return math.nan
        passing = passing / passing[-1]
        allowed = (passing >= least) & (passing > 0)
        return float((kept[allowed] / kept[-1] / np.sqrt(passing[allowed])).max())

    def _by_level(self, weights: npt.NDArray[Any]) -> tuple[Scores, Scores]:
        """Weight of signal and of background at each score, the highest first."""
        size = int(self._level.max()) + 1
        signal = np.bincount(self._level, weights * self._is_signal, size)
        return signal.astype(np.float64), np.bincount(self._level, weights * ~self._is_signal, size).astype(
            np.float64
        )
