"""Which rows make the batches of an epoch, and in which order.

Rows are dealt to shards. Pieces of the files are shuffled, and in every window of pieces the rows. If all rows fit
the buffer, there is one window and the order is a permutation. Otherwise rows of a batch come from one window: a
random sample of pieces, in which every stratum (one source in one file) has its share up to one piece.

Letters: R rows, P pieces, W windows, n batches, b rows of a batch.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from jetssl.common.seeds import Stream, generator
from jetssl.config.data import BinsCard, DataCard
from jetssl.data.balance import Balance, balance, quantile_bins
from jetssl.data.rows import Rows
from resim.common.arrays import Integers

LONGEST_PIECE: Final = 4096
"""Rows of a piece: about four HDF5 chunks of constituents, so that most of what is decompressed is used."""
PIECES_PER_BUFFER: Final = 16
"""Smallest number of pieces in a buffer: a window must hold several, or its rows are not mixed."""


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
    stratum: Integers
    """int64 `(P,)`, number of the (file, source) it is from"""

    def of(self, row: Integers) -> Integers:
        """Piece of each row: int64 `(R,)` → int64 `(R,)`."""
        return np.searchsorted(self.stops, row, side="right")


def cut_pieces(rows: Rows, size: int) -> Pieces:
    """Cut every run of rows of one source in one file into pieces of at most `size` rows, each stratum on its own."""
    file = np.repeat(np.arange(len(rows.files)), [record.rows for record in rows.files])
    changes = np.flatnonzero(np.diff(file) | np.diff(rows.source)) + 1
    edges = np.concatenate([[0], changes, [rows.n_rows]])
    stops, stratum = [], []
    for number, (start, stop) in enumerate(pairwise(edges)):
        ends = np.append(np.arange(start + size, stop, size), stop)
        stops.append(ends)
        stratum.append(np.full(len(ends), number))
    return Pieces(np.concatenate(stops), np.concatenate(stratum))


def interleave(stratum: Integers, rng: np.random.Generator) -> Integers:
    """A random order of the pieces in which any stretch holds each stratum in its share, up to one piece.

    The j-th of the m pieces of a stratum, in random order, stands at (j + u) / m of the way, u uniform in [0, 1).

    Args:
        stratum: int64 `(P,)`, of every piece.
        rng: random numbers.

    Returns:
        int64 `(P,)`, indices of pieces.
    """
    place = np.empty(len(stratum))
    for number in np.unique(stratum):
        members = np.flatnonzero(stratum == number)
        place[rng.permutation(members)] = (np.arange(len(members)) + rng.random(len(members))) / len(members)
    return np.argsort(place, kind="stable")


@dataclass(frozen=True, slots=True)
class Shuffle:
    """How the rows of a shard become batches.

    Args:
        rows: int64, ascending: all rows that may be used.
        piece: the piece of each.
        stratum: the stratum of every piece of the files, `(P,)`.
        bin_of_row: int64, one per row of the files: batches hold rows of one bin, but for those where two bins meet.
        n_windows: W.
        batch_rows: b.
    """

    rows: Integers
    piece: Integers
    stratum: Integers
    bin_of_row: Integers
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
        window_of_piece = np.empty(len(self.stratum), np.int64)
        order = pieces[interleave(self.stratum[pieces], rng)]
        for number, members in enumerate(np.array_split(order, self.n_windows)):
            window_of_piece[members] = number
        return window_of_piece[self.piece]

    def guaranteed(self, n_used: int) -> int:
        """Batches that `n_used` rows give however they are spread over windows."""
        surplus = self.n_windows * (self.batch_rows - 1)
        return max(0, -(-(n_used - surplus) // self.batch_rows))

    def _batches(self, used: Integers, rng: np.random.Generator) -> Integers:
        """Shuffled rows, by bin, cut into batches: int64 `(n, b)`."""
        shuffled = rng.permutation(used)
        n_batches = len(shuffled) // self.batch_rows
        shuffled = shuffled[: n_batches * self.batch_rows]
        if len(bins := self.bin_of_row[shuffled]) and bins.min() != bins.max():
            shuffled = shuffled[np.argsort(bins, kind="stable")]
            batches = shuffled.reshape(n_batches, self.batch_rows)
            return rng.permutation(batches, axis=0)
        return shuffled.reshape(n_batches, self.batch_rows)


@dataclass(frozen=True, slots=True)
class Shard:
    """Training rows that no other shard has."""

    number: int
    shuffle: Shuffle
    balance: Balance

    @property
    def n_batches(self) -> int:
        """Batches that it can give in every epoch."""
        return self.shuffle.guaranteed(self.balance.n_used)

    def windows(self, seed: int, epoch: int, n_batches: int) -> list[Window]:
        """Its share of the batches of an epoch."""
        rng = generator(seed, Stream.ORDER, epoch, self.number)
        return self.shuffle.windows(self.balance.draw(rng), n_batches, rng)


def training_shards(rows: Rows, usable: Integers, card: DataCard) -> list[Shard]:
    """Deal the training rows to the shards of a card.

    Args:
        rows: all rows of the files.
        usable: int64 `(R,)`, ascending: those of the training split that can be used.
        card: the section `data`.

    Raises:
        InputError: the card asks for a balance that the rows cannot have.
    """
    pieces, bins = _pieces(rows, card), _bins(rows, card.bins)
    piece = pieces.of(usable)
    shard = piece % card.shards
    n_windows = 1 if len(usable) <= card.buffer else -(-2 * len(usable) // card.buffer)
    return [
        Shard(
            number,
            Shuffle(
                rows=usable[shard == number],
                piece=piece[shard == number],
                stratum=pieces.stratum,
                bin_of_row=bins,
                n_windows=n_windows,
                batch_rows=card.batch_size // card.shards,
            ),
            balance(rows, usable[shard == number], card.balance),
        )
        for number in range(card.shards)
    ]


def validation_window(rows: Rows, usable: Integers, card: DataCard, multiple_of: int, seed: int) -> Window:
    """The held-out batches, balanced and in bins as those of the training; the same ones for every epoch.

    As many rows in a batch as in training, so that the losses compare; one smaller batch if there are not enough.

    Args:
        rows: all rows of the files.
        usable: int64 `(R,)`, ascending: those of the validation split that can be used.
        card: the section `data`.
        multiple_of: number of processes, which share every batch.
        seed: of the run.
    """
    rng = generator(seed, Stream.ORDER)
    pieces = _pieces(rows, card)
    used = _from_few_pieces(balance(rows, usable, card.balance).draw(rng), pieces, card.validation_rows, rng)
    size = min(card.batch_size, len(used)) // multiple_of * multiple_of
    shuffle = Shuffle(used, pieces.of(used), pieces.stratum, _bins(rows, card.bins), n_windows=1, batch_rows=size)
    return shuffle.windows(used, shuffle.guaranteed(len(used)), rng)[0]


def _pieces(rows: Rows, card: DataCard) -> Pieces:
    in_buffer = min(card.buffer, rows.n_rows) // card.shards
    return cut_pieces(rows, max(1, min(LONGEST_PIECE, in_buffer // PIECES_PER_BUFFER)))


def _from_few_pieces(rows: Integers, pieces: Pieces, limit: int, rng: np.random.Generator) -> Integers:
    """At most `limit` of the rows, ascending, from as few pieces as have them, but from every stratum."""
    place = np.empty(len(pieces.stratum), np.int64)
    place[interleave(pieces.stratum, rng)] = np.arange(len(pieces.stratum))
    return np.sort(rows[np.argsort(place[pieces.of(rows)], kind="stable")[:limit]])


def _bins(rows: Rows, card: BinsCard) -> Integers:
    """The bin in pT and |eta| of every row, numbered so that neighbours meet: int64 `(R,)`."""
    pt, eta = quantile_bins(rows.parton_pt, card.pt), quantile_bins(np.abs(rows.parton_eta), card.abs_eta)
    return pt * card.abs_eta + np.where(pt % 2 == 1, card.abs_eta - 1 - eta, eta)
