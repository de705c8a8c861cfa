"""Which rows make the batches of an epoch: shards, each with an order and a balance of its own, and held-out rows.

Letters: R rows.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from jetssl.common.seeds import Stream, generator
from jetssl.config.data import BinsCard, DataCard
from jetssl.data.balance import Balance, balance
from jetssl.data.rows import Integers, Rows
from jetssl.data.sampling import Pieces, Shuffle, Window, cut_pieces, interleave, quantile_bins

LONGEST_PIECE: Final = 4096
"""Rows that are read at once: about four HDF5 chunks of constituents, so that most of what is decompressed for a
random piece is used."""
PIECES_PER_BUFFER: Final = 16
"""At least, however small the buffer is: a window must hold several."""


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
    pieces, groups = _pieces(rows, card), _groups(rows, card.bins)
    piece = pieces.of(usable)
    shard = piece % card.shards
    n_windows = 1 if len(usable) <= card.buffer else -(-2 * len(usable) // card.buffer)
    return [
        Shard(
            number,
            Shuffle(
                rows=usable[shard == number],
                piece=piece[shard == number],
                part=pieces.part,
                group=groups,
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
    shuffle = Shuffle(used, pieces.of(used), pieces.part, _groups(rows, card.bins), n_windows=1, batch_rows=size)
    return shuffle.windows(used, shuffle.guaranteed(len(used)), rng)[0]


def _pieces(rows: Rows, card: DataCard) -> Pieces:
    in_buffer = min(card.buffer, rows.n_rows) // card.shards
    return cut_pieces(rows, max(1, min(LONGEST_PIECE, in_buffer // PIECES_PER_BUFFER)))


def _from_few_pieces(rows: Integers, pieces: Pieces, limit: int, rng: np.random.Generator) -> Integers:
    """At most `limit` of the rows, ascending, from as few pieces as have them, but from every part."""
    place = np.empty(len(pieces.part), np.int64)
    place[interleave(pieces.part, rng)] = np.arange(len(pieces.part))
    return np.sort(rows[np.argsort(place[pieces.of(rows)], kind="stable")[:limit]])


def _groups(rows: Rows, card: BinsCard) -> Integers:
    """The bin in pT and |eta| of every row, numbered so that neighbours meet: int64 `(R,)`."""
    pt, eta = quantile_bins(rows.parton_pt, card.pt), quantile_bins(np.abs(rows.parton_eta), card.abs_eta)
    return pt * card.abs_eta + np.where(pt % 2 == 1, card.abs_eta - 1 - eta, eta)
