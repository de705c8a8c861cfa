"""Many ranges of a flat array at once."""

import numpy as np

from jetssl.data.rows import Integers


def ranges(starts: Integers, counts: Integers) -> Integers:
    """Indices of several ranges, one after the other.

    Args:
        starts: first index of each range, `(B,)`.
        counts: length of each range, `(B,)`.

    Returns:
        int64 `(sum of counts,)`.

    >>> ranges(np.array([7, 0]), np.array([2, 3])).tolist()
    [7, 8, 0, 1, 2]
    """
    shifts = starts - (np.cumsum(counts) - counts)
    return np.asarray(np.arange(counts.sum()) + np.repeat(shifts, counts), np.int64)
