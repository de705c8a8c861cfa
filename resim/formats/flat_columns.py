"""Columns of a batch of jets without their padding: one value a jet, or one a constituent."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from resim.common.arrays import Booleans, Floats, Integers
from resim.common.errors import InputError
from resim.common.ragged import offsets_of
from resim.formats.columns_card import Column, array_of, index_of
from resim.formats.containers import Batch, Ragged, Values
from resim.formats.mapping_card import MappingCard


def values_of(path: Path, batch: Batch, column: Column) -> Values:
    """A column of a batch.

    Raises:
        InputError: its array has no such entry.
    """
    values, index = batch[array_of(column)], index_of(column)
    if index is None:
        return values
    first, last = (index.start, index.stop - 1) if isinstance(index, slice) else (index, index)
    if isinstance(values, Ragged) or values.ndim < 2 or not first <= last < values.shape[-1]:
        shape = "ragged" if isinstance(values, Ragged) else f"of shape {values.shape}"
        raise InputError(f"{path}: no column {column}, {array_of(column)} is {shape}; correct the mapping card")
    return np.asarray(values[..., index])


def values_of_jets(path: Path, batch: Batch, column: Column) -> npt.NDArray[Any]:
    """A column with one value a jet, `(n_jets,)`.

    Raises:
        InputError: it has several.
    """
    values = values_of(path, batch, column)
    if isinstance(values, Ragged) or values.ndim != 1:
        raise InputError(f"{path}: {column} has several values for each jet, want one; correct the mapping card")
    return values


class FlatColumns:
    """The columns of some consecutive jets of a file.

    Args:
        path: the file, for messages.
        batch: its arrays.
        card: what they mean.
        first: number of the first jet in the file, for messages.

    Attributes:
        entries: int64, numbers in the file of the jets that have constituents; the others are left out everywhere.
        counts: int64, how many each has.
        n_unlabelled: jets that the card leaves out, as they have none of its flags.

    Raises:
        InputError: arrays have other lengths than they should, or there is padding that the card does not mention.
    """

    def __init__(self, path: Path, batch: Batch, card: MappingCard, first: int) -> None:
        self.path, self._batch, self._card = path, batch, card
        momenta = card.columns.momenta
        sample = self._raw(next(iter(momenta.columns.values())))
        self._shape = sample.counts if isinstance(sample, Ragged) else np.asarray(sample.shape)
        self._kept = self._constituents(sample)
        if momenta.weight is not None:
            self._kept &= self._entries(momenta.weight) != 0
        self.n_unlabelled = 0
        if card.labels.unlabelled == "leave_out":
            self._leave_out(sample, np.logical_or.reduce([self._flag(name) for name in card.labels.columns]))
        counts = self._counts(sample)
        self._some = counts > 0
        self.counts, self.entries = counts[self._some], first + np.flatnonzero(self._some)

    def _constituents(self, sample: Values) -> Booleans:
        """Which entries are constituents: flat if ragged, else `(n_jets, n)`."""
        padding = self._card.padding
        if isinstance(sample, Ragged) and padding is None:
            return np.ones(len(sample.values), bool)
        n_axes = 2 if isinstance(sample, Ragged) else sample.ndim
        if padding is None or n_axes != 2:
            shape = "padded jets" if n_axes == 2 else f"arrays of shape {tuple(self._shape.tolist())}"
            raise InputError(
                f"{self.path}: has {shape}, want ragged columns, or arrays (jets, entries) and in the mapping card"
                " `padding`: the columns and the value that mark what is no constituent"
            )
        is_padding: Booleans = np.logical_and.reduce(
            [self._entries(column) == padding.value for column in padding.columns]
        )
        return ~is_padding

    def _flag(self, column: Column) -> Booleans:
        """Whether jets have a flag, all of the batch."""
        return np.asarray(self._floats(column, values_of_jets(self.path, self._batch, column)) != 0)

    def _leave_out(self, sample: Values, labelled: Booleans) -> None:
        """Jets without a label have no constituents from here on, and so are no jets."""
        self.n_unlabelled = int(np.count_nonzero(~labelled))
        self._kept &= np.repeat(labelled, sample.counts) if isinstance(sample, Ragged) else labelled[:, None]

    def _counts(self, sample: npt.NDArray[Any] | Ragged) -> Integers:
        if isinstance(sample, Ragged):
            return np.diff(offsets_of(self._kept)[offsets_of(sample.counts)])
        return np.asarray(self._kept.sum(axis=1), np.int64)

    def _raw(self, column: Column) -> Values:
        return values_of(self.path, self._batch, column)

    def _entries(self, column: Column) -> npt.NDArray[Any]:
        """All entries of a column of constituents, padding included: flat if ragged, else `(n_jets, n)`."""
        values = self._raw(column)
        shape = values.counts if isinstance(values, Ragged) else np.asarray(values.shape)
        if not np.array_equal(shape, self._shape):
            raise InputError(
                f"{self.path}: {column} has other numbers of entries than the momenta; correct the mapping card"
            )
        return values.values if isinstance(values, Ragged) else values

    def of_constituents(self, column: Column) -> Floats:
        """One value a constituent, float64 `(n_constituents,)`.

        Raises:
            InputError: the column has other lengths, no numbers, or a value that is not finite.
        """
        flat = self._floats(column, self._entries(column)[self._kept])
        self.refuse(~np.isfinite(flat), column, "is not finite")
        return flat

    def _floats(self, column: Column, values: npt.NDArray[Any]) -> Floats:
        if values.dtype.kind not in "biuf":
            kind = "text" if values.dtype.kind in "SUO" else str(values.dtype)
            raise InputError(f"{self.path}: {column} holds {kind}, want numbers; correct the mapping card")
        return values.astype(np.float64)

    def of_vertices(self, column: Column) -> Ragged:
        """A ragged column of its own lengths, for the jets that have constituents; float64.

        Raises:
            InputError: the column is not ragged, has no numbers, or a value that is not finite.
        """
        values = self._raw(column)
        if not isinstance(values, Ragged):
            raise InputError(f"{self.path}: {column} is not ragged; take `vertices` out of the mapping card")
        flat = self._floats(column, values.values)[np.repeat(self._some, values.counts)]
        counts = values.counts[self._some]
        self.refuse(~np.isfinite(flat), column, "is not finite", counts)
        return Ragged(counts, flat)

    def of_jets(self, column: Column) -> npt.NDArray[Any]:
        """One value a jet, `(n_jets,)`, in the type of the file.

        Raises:
            InputError: the column holds several values a jet, or one that is not finite.
        """
        values = values_of_jets(self.path, self._batch, column)
        values = values[self._some]
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise InputError(
                f"{self.path}: {column} is not finite in {self.jet(int(np.argmin(np.isfinite(values))))}"
            )
        return values

    def numbers_of_jets(self, column: Column) -> Floats:
        """One number a jet, float64 `(n_jets,)`.

        Raises:
            InputError: as `of_jets`, or the column holds no numbers.
        """
        return self._floats(column, self.of_jets(column))

    def refuse(self, wrong: Booleans, column: Column, what: str, counts: Integers | None = None) -> None:
        """Refuse the file if anything is wrong in a column of constituents, or of others: bool `(counts.sum(),)`.

        Raises:
            InputError: names the column and the jet.
        """
        if wrong.any():
            offsets = offsets_of(self.counts if counts is None else counts)
            jet = int(np.searchsorted(offsets, np.argmax(wrong), side="right")) - 1
            raise InputError(
                f"{self.path}: {column} {what} in {self.jet(jet)}; correct the mapping card, or the file"
            )

    def jet(self, index: int) -> str:
        """The name of a jet, or of an event of them, in messages."""
        return f"{self._card.entries[:-1]} {self.entries[index]}"
