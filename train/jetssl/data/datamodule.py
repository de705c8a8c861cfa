"""Batches of positive pairs for Lightning, each made from its own address (seed, epoch, batch)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import lightning
import numpy as np
import torch

from jetssl.config.data import DataCard
from jetssl.data.augmentations import augment
from jetssl.data.jets import gather_jets
from jetssl.data.pairs import Booleans, Integers, PairTable
from jetssl.data.splits import Splits, split_rows
from jetssl.data.tensors import PairBatch, to_tensors
from jetssl.processes import ALONE, Team
from jetssl.seeds import Stream, generator
from resim.errors import InputError


def draw_views(valid: Booleans, rng: np.random.Generator, count: int = 2) -> Integers:
    """`count` different valid views for every row, all ordered choices equally likely.

    Args:
        valid: bool `(V, B)`; at least `count` True in every column.
        rng: random numbers.
        count: how many.

    Returns:
        int64 `(count, B)`, indices of views.
    """
    ranks = np.where(valid, rng.random(valid.shape), np.inf)
    return np.argsort(ranks, axis=0)[:count]


@dataclass(frozen=True, slots=True)
class PairBatches:
    """The batches of one pass over rows; iterating twice gives the same batches twice."""

    table: PairTable
    batches: Sequence[Integers]
    """row indices of each batch"""
    card: DataCard
    jets_per_row: int
    """2 for pairs, 1 for an objective that looks at one jet at a time"""
    address: tuple[int, Stream, int]
    """(seed, stream, epoch) that the random numbers of batch i are drawn from, at address i"""
    team: Team = ALONE
    """whose process this is"""

    def __len__(self) -> int:
        """Number of batches."""
        return len(self.batches)

    def __iter__(self) -> Iterator[PairBatch]:
        """Make one batch after the other."""
        return map(self.batch, range(len(self)))

    def batch(self, index: int) -> PairBatch:
        """Batch `index`: views and augmentations drawn independently for each of its jets.

        Every process draws for the joint batch, which costs little, and takes its share of the rows; so the joint
        batch does not depend on the number of processes.
        """
        rows = self.batches[index]
        seed, stream, epoch = self.address
        rng = generator(seed, stream, epoch, index)
        drawn = draw_views(self.table.valid[:, rows], rng, stored_views(self.card, self.jets_per_row))
        view = np.broadcast_to(drawn, (self.jets_per_row, len(rows))).reshape(-1)
        jets = gather_jets(self.table, view, np.tile(rows, self.jets_per_row))
        if self.card.source != "resim":
            jets = augment(jets, self.card.augmentations, rng)
        if self.team.size > 1:
            mine = np.array_split(np.arange(len(rows)), self.team.size)[self.team.rank]
            jets = jets.take(np.concatenate([mine + k * len(rows) for k in range(self.jets_per_row)]))
            rows = rows[mine]
        labels = np.searchsorted(self.table.classes, self.table.label[rows])
        return PairBatch(
            to_tensors(jets, self.card.features),
            torch.from_numpy(rows),
            torch.from_numpy(labels.astype(np.int64)),
            torch.from_numpy(np.stack([jets.jet_pt, jets.jet_eta], axis=1)),
        )


def stored_views(card: DataCard, jets_per_row: int) -> int:
    """How many different stored views a row needs."""
    return 1 if card.source == "augment" else jets_per_row


class PairDataModule(lightning.LightningDataModule):
    """Training and validation batches of pairs; the test split is never touched here.

    Args:
        table: the loaded pair files.
        card: the `data` section.
        seed: run seed.
        jets_per_row: 2 for pairs, 1 for an objective that looks at one jet at a time.
        team: whose process this is; each takes an equal share of every batch.

    Raises:
        InputError: fewer pairs than a batch in the training split, too few in the validation split, or a batch that
            cannot be shared equally.
    """

    def __init__(
        self, table: PairTable, card: DataCard, seed: int, jets_per_row: int = 2, team: Team = ALONE
    ) -> None:
        super().__init__()
        self.table, self.card, self.seed, self.jets_per_row, self.team = table, card, seed, jets_per_row, team
        self.splits = split_rows(table, card.fractions)
        needed = stored_views(card, jets_per_row)
        self.pairs = usable(table, self.splits, needed)
        _check_sizes(table, self.pairs, card, needed)
        _check_shares(self.pairs, card, team)

    @property
    def batches_per_epoch(self) -> int:
        """Full training batches in an epoch."""
        return len(self.pairs.train) // self.card.batch_size

    def train_dataloader(self) -> PairBatches:
        """Batches of the trainer's current epoch; Lightning asks for them anew in every epoch."""
        return self.training_batches(self.trainer.current_epoch if self.trainer else 0)

    def training_batches(self, epoch: int) -> PairBatches:
        """Batches of an epoch: a fresh permutation, cut into full batches.

        NT-Xent depends on the number of negatives, so the rows that do not fill a batch wait for another epoch.
        """
        order = generator(self.seed, Stream.ORDER, epoch).permutation(self.pairs.train)
        used = order[: self.batches_per_epoch * self.card.batch_size]
        address = (self.seed, Stream.TRAINING_BATCH, epoch)
        return self._batches(np.split(used, self.batches_per_epoch), address)

    def val_dataloader(self) -> PairBatches:
        """The same batches with the same views and rotations every time.

        As many rows as in training, so that the losses compare; one smaller batch if there are not enough.
        """
        size = min(self.card.batch_size, len(self.pairs.validation))
        size -= size % self.team.size
        n_batches = len(self.pairs.validation) // size
        used = generator(self.seed, Stream.ORDER).permutation(self.pairs.validation)[: n_batches * size]
        address = (self.seed, Stream.VALIDATION_BATCH, 0)
        return self._batches(np.split(used, n_batches), address)

    def _batches(self, rows: Sequence[Integers], address: tuple[int, Stream, int]) -> PairBatches:
        return PairBatches(self.table, rows, self.card, self.jets_per_row, address, self.team)


def usable(table: PairTable, splits: Splits, n_views: int) -> Splits:
    """The rows of each side that are valid in at least `n_views` views."""
    keep = np.zeros(table.n_rows, bool)
    keep[table.rows_with(n_views)] = True
    return Splits(*(rows[keep[rows]] for rows in (splits.train, splits.validation, splits.test)))


def _check_sizes(table: PairTable, pairs: Splits, card: DataCard, n_views: int) -> None:
    if len(table.views) < n_views:
        files = ", ".join(file.path for file in table.files)
        raise InputError(
            f"{files}: only the view {table.views[0]!r} in common, a pair needs two; add views to the card, or train"
            " with data.source=augment"
        )
    valid = "at least two valid views" if n_views == 2 else "a valid view"
    if len(pairs.train) < card.batch_size:
        raise InputError(
            f"data.batch_size is {card.batch_size}, but the training split has {len(pairs.train)} rows with {valid};"
            " lower it or generate more events"
        )
    if len(pairs.validation) < 2:
        raise InputError(
            f"the validation split has {len(pairs.validation)} rows with {valid}, want at least 2;"
            " generate more events or raise data.fractions.validation"
        )


def _check_shares(pairs: Splits, card: DataCard, team: Team) -> None:
    if card.batch_size % team.size:
        raise InputError(
            f"data.batch_size is {card.batch_size}, which {team.size} processes cannot share equally;"
            f" choose a multiple of {team.size}"
        )
    if len(pairs.validation) < 2 * team.size:
        raise InputError(
            f"the validation split has {len(pairs.validation)} usable rows, want 2 for each of {team.size} processes;"
            " start fewer processes or generate more events"
        )
