"""Jets of some rows in flat arrays: constituents ragged over (view, row), everything else `(V, R)`.

Letters: V views, R rows (hard partons), C constituents of all views and rows together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from jetssl.data.parts import COLUMNS, KIND, MOMENTUM, Kind, kinds_of, offsets_of_kind, read_kind
from resim.common.arrays import Floats32, Integers
from resim.common.ragged import indices_of_ranges
from resim.pairfile.reader import PairFile
from resim.pairfile.row_block import RowBlock

OPTIONAL_COLUMNS = ("charge", "pdg_id", "d0", "d0_err", "dz", "dz_err")
"""Columns of the constituents (`resim.pairfile.schema.CONSTITUENTS`) that not every feature set reads."""


@dataclass(frozen=True, slots=True)
class Constituents:
    """Constituents of all jets, one after the other; those of a jet are followed by what it has beside them."""

    pt: Floats32
    """float32 `(C,)`, GeV"""
    eta: Floats32
    """float32 `(C,)`, pseudorapidity"""
    phi: Floats32
    """float32 `(C,)`, rad"""
    energy: Floats32
    """float32 `(C,)`, GeV"""
    other: Mapping[str, npt.NDArray[Any]]
    """those of `OPTIONAL_COLUMNS` and of `jetssl.data.parts` that were asked for, each `(C,)`"""


@dataclass(frozen=True, slots=True)
class JetColumns:
    """Properties of every jet; NaN (0 for the count) where the row is invalid in the view."""

    pt: Floats32
    """float32 `(V, R)`, GeV"""
    eta: Floats32
    """float32 `(V, R)`, pseudorapidity"""
    phi: Floats32
    """float32 `(V, R)`, rad"""
    mass: Floats32
    """float32 `(V, R)`, GeV"""
    energy: Floats32
    """float32 `(V, R)`, GeV"""
    softdrop_mass: Floats32
    """float32 `(V, R)`, GeV"""
    n_constituents: npt.NDArray[np.int32]
    """int32 `(V, R)`, number of constituents"""


@dataclass(frozen=True, slots=True)
class JetTable:
    """Jets of some rows in the views that all files have."""

    starts: Integers
    """int64 `(V, R)`, first constituent of the jet"""
    counts: Integers
    """int64 `(V, R)`, number of constituents and of what is beside them; at least 1 where the row is valid in the
    view, else 0"""
    constituents: Constituents
    jets: JetColumns

    def take(self, rows: Integers) -> "JetTable":
        """Some of the rows, in the order of `rows`; the constituents of others are left behind."""
        counts = self.counts[:, rows]
        chosen = indices_of_ranges(self.starts[:, rows].ravel(), counts.ravel())
        flat = self.constituents
        return JetTable(
            starts=_starts(counts),
            counts=counts,
            constituents=Constituents(
                **{name: getattr(flat, name)[chosen] for name in MOMENTUM},
                other={name: values[chosen] for name, values in flat.other.items()},
            ),
            jets=JetColumns(*(getattr(self.jets, field.name)[:, rows] for field in fields(JetColumns))),
        )


def read_jets(file: PairFile, views: Sequence[str], start: int, stop: int, columns: Sequence[str]) -> JetTable:
    """Jets of rows `start:stop` in some views; nothing else of the file is read.

    Args:
        file: an open pair file.
        views: names of the wanted views.
        start: first row.
        stop: one beyond the last row; at most the number of rows.
        columns: which of `OPTIONAL_COLUMNS` and of `jetssl.data.parts` to read.

    Raises:
        InputError: secondary vertices or cells are wanted and the file has none, or has layers that nothing reads.
    """
    offsets = np.stack([file.offsets(view, slice(start, stop + 1)) for view in views])
    counts = np.diff(offsets)
    of_constituents = [name for name in columns if name in OPTIONAL_COLUMNS]
    constituents = _read_constituents(file, views, offsets, of_constituents)
    if kinds := kinds_of(columns):
        others = [_read_others(file, kind, views, (start, stop)) for kind in kinds]
        constituents, counts = _joined(constituents, counts, others)

    def jets(name: str) -> npt.NDArray[Any]:
        return np.stack([file.read(f"views/{view}/jets/{name}", slice(start, stop)) for view in views])

    return JetTable(
        starts=_starts(counts),
        counts=counts,
        constituents=constituents,
        jets=JetColumns(*(jets(field.name) for field in fields(JetColumns))),
    )


def jets_of(block: RowBlock, views: Sequence[str], columns: Sequence[str]) -> JetTable:
    """Jets of rows that were just made, likewise; `columns` are some of `OPTIONAL_COLUMNS`."""
    arrays = block.arrays

    def column(name: str) -> npt.NDArray[Any]:
        return np.concatenate([arrays[f"views/{view}/constituents/{name}"] for view in views])

    def jets(name: str) -> npt.NDArray[Any]:
        return np.stack([arrays[f"views/{view}/jets/{name}"] for view in views])

    counts = np.stack([np.diff(arrays[f"views/{view}/offsets"]) for view in views])
    momentum = {name: column(name) for name in MOMENTUM}
    return JetTable(
        starts=_starts(counts),
        counts=counts,
        constituents=Constituents(**momentum, other={name: column(name) for name in columns}),
        jets=JetColumns(*(jets(field.name) for field in fields(JetColumns))),
    )


def _starts(counts: Integers) -> Integers:
    """First constituents of jets that lie one after the other, view after view: `(V, R)`."""
    ends = np.cumsum(counts).reshape(counts.shape)
    return np.asarray(ends - counts, np.int64)


def _read_constituents(
    file: PairFile, views: Sequence[str], offsets: Integers, columns: Sequence[str]
) -> Constituents:
    """Those between the first and the last offset of each view; offsets are `(V, rows + 1)`."""
    ranges = [slice(int(ends[0]), int(ends[-1])) for ends in offsets]

    def column(name: str) -> npt.NDArray[Any]:
        return np.concatenate([file.constituents(v, name, inside) for v, inside in zip(views, ranges, strict=True)])

    momentum = {name: column(name) for name in MOMENTUM}
    return Constituents(**momentum, other={name: column(name) for name in columns})


@dataclass(frozen=True, slots=True)
class _Others:
    """What jets have beside constituents, of one kind."""

    kind: Kind
    counts: Integers
    """int64 `(V, R)`"""
    columns: Mapping[str, npt.NDArray[Any]]


def _read_others(file: PairFile, kind: Kind, views: Sequence[str], rows: tuple[int, int]) -> _Others:
    offsets = [offsets_of_kind(file, kind, view, slice(rows[0], rows[1] + 1)) for view in views]
    read = [
        read_kind(file, kind, view, slice(int(ends[0]), int(ends[-1])))
        for view, ends in zip(views, offsets, strict=True)
    ]
    columns = {name: np.concatenate([values[name] for values in read]) for name in read[0]}
    return _Others(kind, np.asarray(np.diff(np.stack(offsets)), np.int64), columns)


def _joined(constituents: Constituents, counts: Integers, others: Sequence[_Others]) -> tuple[Constituents, Integers]:
    """Constituents of each jet and then its others, kind by kind, and how many that are, `(V, R)`."""
    sizes = [len(constituents.pt), *(int(each.counts.sum()) for each in others)]
    each_counts = np.stack([counts, *(each.counts for each in others)], axis=-1)
    starts = np.stack([_starts(each_counts[..., i]) for i in range(len(sizes))], axis=-1)
    first = starts + np.cumsum([0, *sizes[:-1]])
    place = indices_of_ranges(first.ravel(), each_counts.ravel())

    def joined(name: str, own: npt.NDArray[Any] | None) -> npt.NDArray[Any]:
        kept = next(each.columns[name] for each in others if name in each.columns) if own is None else own
        dtype = kept.dtype
        pieces = [np.zeros(sizes[0], dtype) if own is None else own]
        pieces += [
            each.columns.get(name, np.zeros(size, dtype)) for each, size in zip(others, sizes[1:], strict=True)
        ]
        return np.concatenate(pieces).take(place)

    kinds = np.repeat(np.array([Kind.CONSTITUENT, *(each.kind for each in others)], np.int8), sizes)
    other = {name: joined(name, values) for name, values in constituents.other.items()}
    other |= {name: joined(name, None) for each in others for name in COLUMNS[each.kind]}
    momentum = {name: joined(name, getattr(constituents, name)) for name in MOMENTUM}
    return Constituents(**momentum, other=other | {KIND: kinds.take(place)}), each_counts.sum(-1)


def concatenate(tables: Sequence[JetTable]) -> JetTable:
    """The rows of one table after those of the other; all have the same views and columns."""
    if len(tables) == 1:
        return tables[0]
    before = np.cumsum([0, *(len(table.constituents.pt) for table in tables)])
    return JetTable(
        starts=np.concatenate([t.starts + shift for t, shift in zip(tables, before[:-1], strict=True)], axis=1),
        counts=np.concatenate([table.counts for table in tables], axis=1),
        constituents=_concatenate_constituents([table.constituents for table in tables]),
        jets=JetColumns(
            *(np.concatenate([getattr(t.jets, f.name) for t in tables], axis=1) for f in fields(JetColumns))
        ),
    )


def _concatenate_constituents(tables: Sequence[Constituents]) -> Constituents:
    momentum = {name: np.concatenate([getattr(table, name) for table in tables]) for name in MOMENTUM}
    other = {name: np.concatenate([table.other[name] for table in tables]) for name in tables[0].other}
    return Constituents(**momentum, other=other)
