"""Histograms of unweighted entries and how two of them compare."""

from dataclasses import dataclass

import numpy as np

from resim.common.arrays import Floats


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of unweighted entries: `counts` and their Poisson errors `(n_bins,)` over `edges` `(n_bins + 1,)`."""

    edges: Floats
    counts: Floats

    @property
    def errors(self) -> Floats:
        """Statistical error of every count."""
        return np.sqrt(self.counts)

    @property
    def centres(self) -> Floats:
        """Bin centres `(n_bins,)`."""
        return (self.edges[1:] + self.edges[:-1]) / 2

    def ratio(self, reference: "Histogram") -> tuple[Floats, Floats]:
        """Ratio to another histogram and its error, both taken as independent; NaN where one is empty."""
        some = (self.counts > 0) & (reference.counts > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(some, self.counts / reference.counts, np.nan)
            return ratio, ratio * np.sqrt(1 / self.counts + 1 / reference.counts)

    def chi2(self, other: "Histogram") -> tuple[float, int]:
        """Chi-squared of the hypothesis that two unweighted histograms have one shape, and its degrees of freedom.

        With n_i and m_i entries of N and M: sum over the bins that are not empty in both of
        (sqrt(M/N) n_i - sqrt(N/M) m_i)^2 / (n_i + m_i); one degree less than bins (N. Gagunashvili,
        arXiv:physics/0605123, eq. 2). The samples are taken as independent; views of the same hard scatters are not
        where an observable is frozen, and then lie below the degrees of freedom.
        """
        n, m = self.counts, other.counts
        some = n + m > 0
        if not (n.sum() > 0 and m.sum() > 0):
            return 0.0, 0
        scale = np.sqrt(m.sum() / n.sum())
        terms = (scale * n[some] - m[some] / scale) ** 2 / (n[some] + m[some])
        return float(terms.sum()), int(some.sum()) - 1
