"""Jets of some rows in flat arrays: constituents ragged over (view, row), everything else `(V, R)`.

Letters: V views, R rows (hard partons), C constituents of all views and rows together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from resim.common.arrays import Floats32, Integers
from resim.common.ragged import indices_of_ranges
from resim.pairfile import schema
from resim.pairfile.reader import PairFile

MOMENTUM = ("pt", "eta", "phi", "energy")
"""Columns of the constituents that everything reads."""
OPTIONAL_COLUMNS = ("charge", "pdg_id", "d0", "d0_err", "dz", "dz_err")
"""Columns of the constituents (`resim.pairfile.schema.CONSTITUENTS`) that not every feature set reads."""
VERTEX_COLUMNS = tuple(f"vertex_{column.name}" for column in schema.VERTICES if column.name not in MOMENTUM)
"""Columns of secondary vertices. Where they are read, the vertices of a jet follow its constituents as further ones;
what only one of both has is 0 for the other."""
IS_VERTEX = "is_vertex"
"""Optional column: true for secondary vertices; reads them, too."""


@dataclass(frozen=True, slots=True)
class Constituents:
    """Constituents of all jets, one after the other."""

    pt: Floats32
    """float32 `(C,)`, GeV"""
    eta: Floats32
    """float32 `(C,)`, pseudorapidity"""
    phi: Floats32
    """float32 `(C,)`, rad"""
    energy: Floats32
    """float32 `(C,)`, GeV"""
    other: Mapping[str, npt.NDArray[Any]]
    """those of `OPTIONAL_COLUMNS`, `VERTEX_COLUMNS` and `IS_VERTEX` that were asked for, each `(C,)`"""


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
    """int64 `(V, R)`, number of constituents and vertices; at least 1 where the row is valid in the view, else 0"""
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
        columns: which of `OPTIONAL_COLUMNS`, `VERTEX_COLUMNS` and `IS_VERTEX` to read.

    Raises:
        InputError: secondary vertices are wanted and the file has none.
    """
    offsets = np.stack([file.offsets(view, slice(start, stop + 1)) for view in views])
    counts = np.diff(offsets)
    of_constituents = [name for name in columns if name in OPTIONAL_COLUMNS]
    constituents = _read_constituents(file, views, offsets, of_constituents)
    if len(of_constituents) < len(columns):
        constituents, counts = _with_vertices(file, views, constituents, counts, (start, stop), columns)

    def jets(name: str) -> npt.NDArray[Any]:
        return np.stack([file.read(f"views/{view}/jets/{name}", slice(start, stop)) for view in views])

    return JetTable(
        starts=_starts(counts),
        counts=counts,
        constituents=constituents,
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


def _with_vertices(  # noqa: PLR0913, PLR0917
    file: PairFile,
    views: Sequence[str],
    constituents: Constituents,
    counts: Integers,
    rows: tuple[int, int],
    columns: Sequence[str],
) -> tuple[Constituents, Integers]:
    """Constituents of each jet and then its vertices, and how many that are, `(V, R)`."""
    offsets = np.stack([file.vertex_offsets(view, slice(rows[0], rows[1] + 1)) for view in views])
    n_vertices, n_constituents = np.diff(offsets), len(constituents.pt)
    starts = np.stack([_starts(counts), n_constituents + _starts(n_vertices)], axis=-1).ravel()
    place = indices_of_ranges(starts, np.stack([counts, n_vertices], axis=-1).ravel())

    def column(name: str) -> npt.NDArray[Any]:
        return np.concatenate([file.vertices(v, name, slice(*ends)) for v, ends in zip(views, ends_of, strict=True)])

    def joined(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.concatenate([first, second]).take(place)

    ends_of = offsets[:, [0, -1]].tolist()
    total = int(n_vertices.sum())
    other = {name: joined(values, np.zeros(total, values.dtype)) for name, values in constituents.other.items()}
    for name in columns:
        if name == IS_VERTEX:
            other[name] = joined(np.zeros(n_constituents, np.bool_), np.ones(total, np.bool_))
        elif name in VERTEX_COLUMNS:
            values = column(name.removeprefix("vertex_")).astype(np.float32)
            other[name] = joined(np.zeros(n_constituents, np.float32), values)
    momentum = {name: joined(getattr(constituents, name), column(name)) for name in MOMENTUM}
    return Constituents(**momentum, other=other), counts + n_vertices


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
