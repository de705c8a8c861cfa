"""A smooth mass spectrum, fitted beside a signal region, and the significance of an excess there.

Numbers of events in bins are Poisson; the logarithm of their mean is a polynomial in the logarithm of the mass, with
an offset where a shape is known (a generalized linear model, fitted by iterated least squares).

Letters: E events, b bins, k coefficients.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from scipy.stats import chi2, norm

from resim.common.arrays import Booleans, Floats
from resim.common.errors import InputError

BINS: Final = 8
"""In each sideband, and in the region, of equal width in log mass."""
CURVED: Final = 2
"""Degree of the spectrum of all events: a power of the mass with a running exponent, as in searches for di-jets."""
STRAIGHT: Final = 1
"""Degree of the share of events that a cut keeps."""
STEPS: Final = 50
"""Of the fit, at most; it takes about six."""


@dataclass(frozen=True, slots=True)
class MassWindow:
    """Signal region and sidebands, in GeV."""

    region: tuple[float, float]
    sidebands: tuple[float, float]
    """from the start of the lower one to the end of the upper one"""

    def __post_init__(self) -> None:
        """Refuse what has no sidebands."""
        edges = [self.sidebands[0], *self.region, self.sidebands[1]]
        rising = all(low < high for low, high in pairwise(edges))
        if not rising or edges[0] <= 0 or not math.isfinite(edges[-1]):
            raise InputError(
                f"signal region {list(self.region)} GeV and sidebands {list(self.sidebands)} GeV: want the region"
                " inside, with a finite sideband on either side"
            )

    def inside(self, mass: Floats) -> Booleans:
        """In the signal region: `(E,)` → bool `(E,)`."""
        return np.asarray((mass >= self.region[0]) & (mass < self.region[1]))

    def lower(self, mass: Floats) -> Booleans:
        """In the lower sideband."""
        return np.asarray((mass >= self.sidebands[0]) & (mass < self.region[0]))

    def upper(self, mass: Floats) -> Booleans:
        """In the upper sideband."""
        return np.asarray((mass >= self.region[1]) & (mass < self.sidebands[1]))

    @property
    def edges(self) -> Floats:
        """Of all bins, float64 `(3 BINS + 1,)`."""
        ends = [self.sidebands[0], *self.region, self.sidebands[1]]
        parts = [np.geomspace(low, high, BINS + 1)[:-1] for low, high in pairwise(ends)]
        return np.append(np.concatenate(parts), ends[-1])


@dataclass(frozen=True, slots=True)
class Excess:
    """Events in the signal region, and how many the spectrum beside it lets expect."""

    observed: int
    expected: float
    error: float
    """of what is expected, from the fit"""

    @property
    def significance(self) -> float:
        """In standard deviations, negative for a deficit; the error is that of a Gaussian auxiliary measurement.

        Asymptotic, from the profile likelihood (Li and Ma, ApJ 272, 317; with an error: G. Cowan, PHYSTAT 2012).
        """
        n, b, variance = max(self.observed, 0), self.expected, self.error**2
        sum_ = b + variance
        first = n * math.log(n * sum_ / (b**2 + n * variance)) if n else 0.0
        second = b**2 / variance * math.log1p(variance * (n - b) / (b * sum_)) if variance else n - b
        return math.copysign(math.sqrt(max(2 * (first - second), 0)), n - b)

    @property
    def p_value(self) -> float:
        """Probability of at least as many events without a signal."""
        return float(norm.sf(self.significance))


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Expected events in every bin, and their covariance."""

    window: MassWindow
    expected: Floats
    """float64 `(b,)`"""
    covariance: Floats
    """float64 `(b, b)`, of these"""
    quality: float
    """probability of a larger deviance in the sidebands, if the spectrum is right"""

    def in_region(self) -> tuple[float, float]:
        """Expected events in the signal region, and the error."""
        inside = _in_region(self.window)
        return float(self.expected[inside].sum()), float(np.sqrt(self.covariance[np.ix_(inside, inside)].sum()))


def fit(mass: Floats, window: MassWindow, degree: int, shape: Floats | None = None) -> Spectrum:
    """Fit the sidebands, and say what that means for every bin.

    Args:
        mass: GeV, `(E,)`.
        window: where the sidebands are.
        degree: of the polynomial.
        shape: known number of events in each bin that the polynomial multiplies, `(b,)`; None: widths of the bins.

    Raises:
        InputError: too few events in a sideband.
    """
    edges = window.edges
    counts = np.histogram(mass, edges)[0].astype(np.float64)
    used, shape = ~_in_region(window), np.diff(edges) if shape is None else shape
    low, high = counts[:BINS].sum(), counts[-BINS:].sum()
    if min(low, high) < degree + 1:
        raise InputError(
            f"sidebands {list(window.sidebands)} GeV: {low:.0f} and {high:.0f} events are too few for a fit; widen"
            " them, or cut less"
        )
    x = np.log(np.sqrt(edges[1:] * edges[:-1]))
    powers: Floats = np.vander(x - x[used].mean(), degree + 1, increasing=True).astype(np.float64)
    beta: Floats = np.zeros(degree + 1)
    inverse: Floats = np.eye(degree + 1)
    beta[0] = math.log(counts[used].sum() / shape[used].sum())
    for _ in range(STEPS):
        mean: Floats = shape * np.exp(powers @ beta)
        inverse = np.asarray(np.linalg.inv(powers[used].T @ (mean[used, None] * powers[used])), np.float64)
        step = inverse @ powers[used].T @ (counts - mean)[used]
        beta += step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-9:
            break
    mean = shape * np.exp(powers @ beta)
    covariance = mean[:, None] * (powers @ inverse @ powers.T) * mean
    return Spectrum(window, mean, covariance, _quality(counts[used], mean[used], degree + 1))


def _in_region(window: MassWindow) -> Booleans:
    middle = np.sqrt(window.edges[1:] * window.edges[:-1])
    return window.inside(middle)


def _quality(counts: Floats, mean: Floats, parameters: int) -> float:
    logs = np.log(np.where(counts > 0, counts, 1) / mean) * counts
    return float(chi2.sf(2 * (logs - counts + mean).sum(), len(counts) - parameters))
