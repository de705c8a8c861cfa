"""Index arithmetic of ragged arrays."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from resim.common.arrays import Integers


def offsets_of(lengths: Sequence[int] | npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Offsets `(n + 1,)` of ragged data from the `n` lengths.

    >>> offsets_of([2, 0, 3]).tolist()
    [0, 2, 2, 5]
    """
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def indices_of_ranges(starts: npt.NDArray[Any], lengths: npt.NDArray[Any]) -> Integers:
    """The integers of several ranges, one range after the other: `(lengths.sum(),)`.

    >>> indices_of_ranges(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    before = offsets_of(lengths)
    return np.repeat(starts - before[:-1], lengths) + np.arange(before[-1])


def owners_of(offsets: npt.NDArray[Any]) -> Integers:
    """Which range every entry belongs to: `(offsets[-1],)`.

    >>> owners_of(np.array([0, 2, 2, 5])).tolist()
    [0, 0, 2, 2, 2]
    """
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))


def runs_of(values: npt.NDArray[Any]) -> list[slice]:
    """Ranges of equal neighbours in `(n,)`, in their order.

    >>> runs_of(np.array([7, 7, 3, 7]))
    [slice(0, 2, None), slice(2, 3, None), slice(3, 4, None)]
    """
    if not len(values):
        return []
    ends = [0, *(np.flatnonzero(values[1:] != values[:-1]) + 1).tolist(), len(values)]
    return [slice(first, last) for first, last in pairwise(ends)]
