"""Batches of positive pairs for Lightning, each made from its own address (seed, epoch, batch)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import lightning
import numpy as np
import torch

from jetssl.config import DataCard
from jetssl.data.augmentations import rotate_flip
from jetssl.data.batching import gather_jets
from jetssl.data.pairs import Booleans, Integers, PairTable
from jetssl.data.splits import Splits, split_rows
from jetssl.data.tensors import PairBatch, to_tensors
from jetssl.seeds import Stream, generator
from resim.errors import InputError


def draw_views(valid: Booleans, rng: np.random.Generator) -> Integers:
    """Two different valid views for every row, all ordered choices equally likely.

    Args:
        valid: bool `(V, B)`; at least two True in every column.
        rng: random numbers.

    Returns:
        int64 `(2, B)`, indices of views.
    """
    ranks = np.where(valid, rng.random(valid.shape), np.inf)
    return np.argsort(ranks, axis=0)[:2]


@dataclass(frozen=True, slots=True)
class PairBatches:
    """The batches of one pass over rows; iterating twice gives the same batches twice."""

    table: PairTable
    batches: Sequence[Integers]
    """row indices of each batch"""
    features: str
    address: tuple[int, Stream, int]
    """(seed, stream, epoch) that the random numbers of batch i are drawn from, at address i"""

    def __len__(self) -> int:
        """Number of batches."""
        return len(self.batches)

    def __iter__(self) -> Iterator[PairBatch]:
        """Make one batch after the other."""
        return map(self.batch, range(len(self)))

    def batch(self, index: int) -> PairBatch:
        """Batch `index`: views, rotation and mirror image drawn independently for each of its jets."""
        rows = self.batches[index]
        seed, stream, epoch = self.address
        rng = generator(seed, stream, epoch, index)
        view = draw_views(self.table.valid[:, rows], rng)
        jets = gather_jets(self.table, view.reshape(-1), np.tile(rows, 2))
        return PairBatch(to_tensors(rotate_flip(jets, rng), self.features), torch.from_numpy(rows))


class PairDataModule(lightning.LightningDataModule):
    """Training and validation batches of pairs; the test split is never touched here.

    Args:
        table: the loaded pair files.
        card: the `data` section.
        seed: run seed.

    Raises:
        InputError: fewer pairs than a batch in the training split, or fewer than two in the validation split.
    """

    def __init__(self, table: PairTable, card: DataCard, seed: int) -> None:
        super().__init__()
        self.table, self.card, self.seed = table, card, seed
        self.splits = split_rows(table, card.fractions)
        self.pairs = paired(table, self.splits)
        _check_sizes(table, self.pairs, card)

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
        return PairBatches(self.table, np.split(used, self.batches_per_epoch), self.card.features, address)

    def val_dataloader(self) -> PairBatches:
        """The same batches with the same views and rotations every time.

        As many rows as in training, so that the losses compare; one smaller batch if there are not enough.
        """
        size = min(self.card.batch_size, len(self.pairs.validation))
        n_batches = len(self.pairs.validation) // size
        used = generator(self.seed, Stream.ORDER).permutation(self.pairs.validation)[: n_batches * size]
        address = (self.seed, Stream.VALIDATION_BATCH, 0)
        return PairBatches(self.table, np.split(used, n_batches), self.card.features, address)


def paired(table: PairTable, splits: Splits) -> Splits:
    """The rows of each side that are valid in at least two views."""
    keep = np.zeros(table.n_rows, bool)
    keep[table.pair_rows] = True
    return Splits(*(rows[keep[rows]] for rows in (splits.train, splits.validation, splits.test)))


def _check_sizes(table: PairTable, pairs: Splits, card: DataCard) -> None:
    if len(table.views) < 2:
        files = ", ".join(file.path for file in table.files)
        raise InputError(
            f"{files}: only the view {table.views[0]!r} in common, a pair needs two; add views to the card"
        )
    if len(pairs.train) < card.batch_size:
        raise InputError(
            f"data.batch_size is {card.batch_size}, but the training split has {len(pairs.train)} rows with at least"
            " two valid views; lower it or generate more events"
        )
    if len(pairs.validation) < 2:
        raise InputError(
            f"the validation split has {len(pairs.validation)} rows with at least two valid views, want at least 2;"
            " generate more events or raise data.fractions.validation"
        )
