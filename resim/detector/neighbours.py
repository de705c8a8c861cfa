"""Which particles of an event are near which others in rapidity and azimuth."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from resim.common.arrays import Floats, Integers
from resim.common.ragged import indices_of_ranges, owners_of

_WIDER: Final = 1 + 1e-9
"""Cells are wider than the radius by this factor, so that rounding moves no neighbour two cells away."""


@dataclass(frozen=True, slots=True)
class Points:
    """Points of a batch of events, column by column `(n,)`.

    Attributes:
        event: int64, event in the batch.
        y: float64, rapidity.
        phi: float64, azimuth in rad.
    """

    event: Integers
    y: Floats
    phi: Floats

    def __len__(self) -> int:
        """Number of points."""
        return len(self.event)

    def select(self, rows: Integers) -> "Points":
        """The points of some rows."""
        return Points(self.event[rows], self.y[rows], self.phi[rows])


def turn_between(a: Floats, b: Floats) -> Floats:
    """Angle between two azimuths, rad, in 0 ... pi."""
    turn = np.abs(a - b) % (2 * np.pi)
    return np.minimum(turn, 2 * np.pi - turn)


def pairs_within(centres: Points, others: Points, radius: float) -> tuple[Integers, Integers]:
    """Rows of centres and of those others that are not farther than a radius, in the same event.

    Pairs come in the order of their centres, then of the others, whatever the batch: a sum over the neighbours of a
    centre has the same bits in every batch.

    Args:
        centres: `(n,)` points.
        others: `(m,)` points; a centre that is one of them is a neighbour of itself.
        radius: in rapidity and azimuth, above 0.

    Returns:
        int64 `(n_pairs,)` rows of `centres` and of `others`.
    """
    if not len(centres) or not len(others):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    columns = max(int(2 * np.pi / (radius * _WIDER)), 1)
    lowest = min(centres.y.min(), others.y.min())
    (row_a, column_a), (row_b, column_b) = (_cells(points, radius, columns, lowest) for points in (centres, others))
    n_rows = int(max(row_a.max(), row_b.max())) + 3
    keys = (others.event * n_rows + row_b) * columns + column_b
    order = np.argsort(keys, kind="stable")
    found = []
    for row in (-1, 0, 1):
        for column in sorted({step % columns for step in (-1, 0, 1)}):
            wanted = (centres.event * n_rows + row_a + row) * columns + (column_a + column) % columns
            start, stop = (np.searchsorted(keys, wanted, side, sorter=order) for side in ("left", "right"))
            ranges = np.concatenate([[0], np.cumsum(stop - start)])
            found.append((owners_of(ranges), order[indices_of_ranges(start, stop - start)]))
    a, b = (np.concatenate(side) for side in zip(*found, strict=True))
    turn = turn_between(centres.phi[a], others.phi[b])
    near = turn**2 + (centres.y[a] - others.y[b]) ** 2 <= radius**2
    a, b = a[near], b[near]
    sequence = np.lexsort((b, a))
    return a[sequence], b[sequence]


def _cells(points: Points, radius: float, columns: int, lowest: float) -> tuple[Integers, Integers]:
    """Row in y, from 1, and column in phi of the cell of every point: no neighbour is more than one cell away."""
    row = ((points.y - lowest) / (radius * _WIDER)).astype(np.int64) + 1
    column = np.floor((points.phi % (2 * np.pi)) * (columns / (2 * np.pi))).astype(np.int64)
    return row, np.minimum(column, columns - 1)
