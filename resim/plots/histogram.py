"""Histograms and how two of them compare."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from resim.common.arrays import Floats


@dataclass(frozen=True, slots=True)
class Histogram:
    """Entries, or sums of their weights, in bins.

    Attributes:
        edges: `(n_bins + 1,)`.
        counts: `(n_bins,)`.
        squares: `(n_bins,)`, sums of squared weights; None for unit weights, whose errors are Poisson's.
    """

    edges: Floats
    counts: Floats
    squares: Floats | None = None

    @classmethod
    def of(cls, values: Floats, edges: Floats, weights: Floats | None = None) -> Self:
        """The histogram of values `(n,)`, each with its weight, or 1."""
        counts = np.histogram(values, edges, weights=weights)[0].astype(np.float64)
        return cls(edges, counts, None if weights is None else np.histogram(values, edges, weights=weights**2)[0])

    @property
    def errors(self) -> Floats:
        """Statistical error of every count."""
        return np.sqrt(self.counts if self.squares is None else self.squares)

    @property
    def centres(self) -> Floats:
        """Bin centres `(n_bins,)`."""
        return (self.edges[1:] + self.edges[:-1]) / 2

    def ratio(self, reference: "Histogram") -> tuple[Floats, Floats]:
        """Ratio to another histogram and its error, both taken as independent; NaN where one is empty."""
        some = (self.counts > 0) & (reference.counts > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(some, self.counts / reference.counts, np.nan)
            return ratio, ratio * np.hypot(self.errors / self.counts, reference.errors / reference.counts)

    def chi2(self, other: "Histogram") -> tuple[float, int]:
        """Chi-squared of the hypothesis that two histograms have one shape, and its degrees of freedom.

        With n_i and m_i entries of N and M: sum over the bins that are not empty in both of
        (sqrt(M/N) n_i - sqrt(N/M) m_i)^2 / (n_i + m_i); one degree less than bins (N. Gagunashvili,
        arXiv:physics/0605123, eq. 2). With weights the denominator is the variance of the numerator. The samples are
        taken as independent; views of the same hard scatters are not where an observable is frozen, and lie below
        the degrees of freedom.
        """
        n, m = self.counts, other.counts
        some = n + m > 0
        if not (n.sum() > 0 and m.sum() > 0):
            return 0.0, 0
        scale = np.sqrt(m.sum() / n.sum())
        unit = self.squares is None and other.squares is None
        variance = n + m if unit else (scale * self.errors) ** 2 + (other.errors / scale) ** 2
        terms = (scale * n[some] - m[some] / scale) ** 2 / variance[some]
        return float(terms.sum()), int(some.sum()) - 1
