"""Distance between two distributions of scores."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance

Values = npt.NDArray[np.floating[Any]]
Weighted = tuple[Values, npt.NDArray[Any]]
"""Values and their weights."""
DISTANCES: Final = ("wasserstein_1", "jensen_shannon")
"""Metrics in the records."""
JETS_PER_BIN: Final = 20
"""Of the Jensen-Shannon distance, up to 50 bins: noise alone then gives about 0.1."""


def distance(metric: str, one: Weighted, other: Weighted, jets: int) -> float:
    """One of `DISTANCES` between two samples; the number of jets of the class decides about bins.

    >>> distance("wasserstein_1", (np.zeros(3), np.ones(3)), (np.ones(2), np.ones(2)), 3)
    1.0
    """
    if metric == "wasserstein_1":
        return float(wasserstein_distance(one[0], other[0], one[1], other[1]))
    return jensen_shannon(one[0], other[0], one[1], other[1], bins=min(max(jets // JETS_PER_BIN, 2), 50))


def jensen_shannon(
    one: Values,
    other: Values,
    one_weights: npt.NDArray[Any] | None = None,
    other_weights: npt.NDArray[Any] | None = None,
    bins: int = 50,
) -> float:
    """Jensen-Shannon distance, the root of the divergence in bits: 0 for equal, 1 for disjoint distributions.

    The bins hold equal numbers of all unweighted values, so it does not change when scores are transformed
    monotonically. Noise alone makes it positive, by about sqrt(bins / (8 n ln 2)) for two samples of n: compare it
    with a null value.

    Args:
        one: `(n,)`.
        other: `(m,)`.
        one_weights: `(n,)`; None for 1.
        other_weights: `(m,)`; None for 1.
        bins: at most so many; fewer if values repeat.
    """
    inner = np.unique(np.quantile(np.concatenate([one, other]), np.linspace(0, 1, bins + 1)[1:-1]))
    size = len(inner) + 1
    counts = (
        np.bincount(np.digitize(values, inner), weights, size)
        for values, weights in ((one, one_weights), (other, other_weights))
    )
    return float(jensenshannon(*counts, base=2))
