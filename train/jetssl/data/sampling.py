"""The order of rows in an epoch: pieces of the files are shuffled, and in every window of pieces the rows.

If all rows fit the buffer, there is one window and the order is a plain permutation. Otherwise rows of a batch come
from one window: a random sample of pieces, in which every part of every file has its share up to one piece.

Letters: R rows, P pieces, W windows, n batches, b rows of a batch.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from jetssl.data.rows import Integers, Rows


@dataclass(frozen=True, slots=True)
class Window:
    """Rows whose jets are in memory together, and their batches."""

    rows: Integers
    """int64, ascending: what is read"""
    batches: Integers
    """int64 `(n, b)`, rows of each batch"""


@dataclass(frozen=True, slots=True)
class Pieces:
    """Consecutive rows of one source of one file; every row is in one piece."""

    stops: Integers
    """int64 `(P,)`, one beyond the last row, ascending; a piece starts where the one before it ends"""
    part: Integers
    """int64 `(P,)`, number of the (file, source) it is from"""

    def of(self, row: Integers) -> Integers:
        """The piece of every row."""
        return np.searchsorted(self.stops, row, side="right")


def cut_pieces(rows: Rows, size: int) -> Pieces:
    """Cut every run of rows of one source in one file into pieces of at most `size` rows, each part on its own."""
    file = np.repeat(np.arange(len(rows.files)), [record.rows for record in rows.files])
    changes = np.flatnonzero(np.diff(file) | np.diff(rows.source)) + 1
    edges = np.concatenate([[0], changes, [rows.n_rows]])
    stops, part = [], []
    for number, (start, stop) in enumerate(pairwise(edges)):
        ends = np.append(np.arange(start + size, stop, size), stop)
        stops.append(ends)
        part.append(np.full(len(ends), number))
    return Pieces(np.concatenate(stops), np.concatenate(part))


def interleave(part: Integers, rng: np.random.Generator) -> Integers:
    """A random order of the pieces in which any stretch holds each part in its share, up to one piece.

    The j-th of the m pieces of a part, in random order, stands at (j + u) / m of the way, u uniform in [0, 1).

    Args:
        part: int64 `(P,)`.
        rng: random numbers.

    Returns:
        int64 `(P,)`, indices of pieces.
    """
    place = np.empty(len(part))
    for number in np.unique(part):
        members = np.flatnonzero(part == number)
        place[rng.permutation(members)] = (np.arange(len(members)) + rng.random(len(members))) / len(members)
    return np.argsort(place, kind="stable")


@dataclass(frozen=True, slots=True)
class Shuffle:
    """How the rows of a shard become batches.

    Args:
        rows: int64, ascending: all rows that may be used.
        piece: the piece of each.
        part: the part of every piece of the files, `(P,)`.
        group: int64, one per row of the files: batches hold rows of one group, but for those where two groups meet.
        n_windows: W.
        batch_rows: b.
    """

    rows: Integers
    piece: Integers
    part: Integers
    group: Integers
    n_windows: int
    batch_rows: int

    def windows(self, used: Integers, n_batches: int, rng: np.random.Generator) -> list[Window]:
        """The batches of an epoch.

        Rows that do not fill a batch of their window wait for another epoch.

        Args:
            used: int64, ascending: the rows of this epoch, a subset of `rows`.
            n_batches: at most `guaranteed(len(used))`.
            rng: random numbers.
        """
        window = self._draw_windows(rng)
        window_of_used = window[np.searchsorted(self.rows, used)]
        windows = []
        for number in range(self.n_windows):
            batches = self._batches(used[window_of_used == number], rng)[:n_batches]
            n_batches -= len(batches)
            if len(batches):  # else nothing of it need be read
                rows = self.rows if self.n_windows == 1 else self.rows[window == number]
                windows.append(Window(rows, batches))
        return windows

    def _draw_windows(self, rng: np.random.Generator) -> Integers:
        """The window of every row, `(len(rows),)`: as many random pieces for each."""
        pieces = np.unique(self.piece)
        window_of_piece = np.empty(len(self.part), np.int64)
        order = pieces[interleave(self.part[pieces], rng)]
        for number, members in enumerate(np.array_split(order, self.n_windows)):
            window_of_piece[members] = number
        return window_of_piece[self.piece]

    def guaranteed(self, n_used: int) -> int:
        """Batches that `n_used` rows give however they are spread over windows."""
        surplus = self.n_windows * (self.batch_rows - 1)
        return max(0, -(-(n_used - surplus) // self.batch_rows))

    def _batches(self, used: Integers, rng: np.random.Generator) -> Integers:
        """Shuffled rows, by group, cut into batches: int64 `(n, b)`."""
        shuffled = rng.permutation(used)
        n_batches = len(shuffled) // self.batch_rows
        shuffled = shuffled[: n_batches * self.batch_rows]
        if len(groups := self.group[shuffled]) and groups.min() != groups.max():
            shuffled = shuffled[np.argsort(groups, kind="stable")]
            batches = shuffled.reshape(n_batches, self.batch_rows)
            return rng.permutation(batches, axis=0)
        return shuffled.reshape(n_batches, self.batch_rows)


def quantile_bins(values: npt.NDArray[np.floating], n_bins: int) -> Integers:
    """The bin of every value, 0 to n_bins - 1, each with about as many values; equal values share a bin."""
    edges = np.quantile(values, np.arange(1, n_bins) / n_bins)
    return np.searchsorted(edges, values, side="right")
