"""Distance between two distributions of scores; the Wasserstein-1 one is `scipy.stats.wasserstein_distance`."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import jensenshannon

Values = npt.NDArray[np.floating[Any]]


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
