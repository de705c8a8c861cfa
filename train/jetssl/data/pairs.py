"""Load pair files into flat arrays: constituents ragged over (view, row), everything else `(V, R)` or `(R,)`.

Letters: V views, R rows (hard partons), C constituents of all views and rows together.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from resim import schema
from resim.digest import digest
from resim.errors import InputError
from resim.reader import PairFile
from resim.validation import violations
from resim.views import ViewRecord

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


MOMENTUM = ("pt", "eta", "phi", "energy")
"""Columns of the constituents that everything reads."""
OPTIONAL_COLUMNS = ("charge", "pdg_id", "d0", "d0_err", "dz", "dz_err")
"""Columns of the constituents (`resim.schema.CONSTITUENTS`) that not every feature set reads."""


@dataclass(frozen=True, slots=True)
class Constituents:
    """Constituents of all jets, one after the other."""

    pt: Floats
    """float32 `(C,)`, GeV"""
    eta: Floats
    """float32 `(C,)`"""
    phi: Floats
    """float32 `(C,)`, rad"""
    energy: Floats
    """float32 `(C,)`, GeV"""
    other: Mapping[str, npt.NDArray[Any]]
    """those of `OPTIONAL_COLUMNS` that were asked for, each `(C,)`"""


@dataclass(frozen=True, slots=True)
class JetColumns:
    """Properties of every jet; NaN (0 for the count) where the row is invalid in the view."""

    pt: Floats
    """float32 `(V, R)`, GeV"""
    eta: Floats
    """float32 `(V, R)`"""
    phi: Floats
    """float32 `(V, R)`, rad"""
    mass: Floats
    """float32 `(V, R)`, GeV"""
    energy: Floats
    """float32 `(V, R)`, GeV"""
    softdrop_mass: Floats
    """float32 `(V, R)`, GeV"""
    n_constituents: npt.NDArray[np.int32]
    """int32 `(V, R)`"""


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What was read from one file."""

    path: str
    digest: str
    """SHA-256 over all arrays, as `resim digest` prints it: equal digests, equal training data"""
    rows: int
    labels: dict[str, int]
    """rows of each class"""
    views: tuple[str, ...]
    """all views of the file, also those not used"""


@dataclass(frozen=True, slots=True)
class PairTable:
    """All rows of one or several pair files, in the views that they have in common."""

    views: tuple[str, ...]
    """names of the V views, root first"""
    sources: tuple[str, ...]
    """SHA-256 of the decompressed LHE files"""
    source: Integers
    """int64 `(R,)`, index into `sources`"""
    event: Integers
    """int64 `(R,)`, index of the event in its LHE file"""
    label: npt.NDArray[np.str_]
    """`(R,)`, class name"""
    valid: Booleans
    """bool `(V, R)`, whether the row has a jet in the view"""
    starts: Integers
    """int64 `(V, R)`, first constituent of the jet"""
    counts: Integers
    """int64 `(V, R)`, number of constituents; at least 1 where valid, 0 elsewhere"""
    constituents: Constituents
    jets: JetColumns
    files: tuple[FileRecord, ...]

    @property
    def n_rows(self) -> int:
        """R."""
        return len(self.event)

    def rows_with(self, n_views: int) -> Integers:
        """Rows that are valid in at least so many views; those with two can form a pair."""
        return np.flatnonzero(self.valid.sum(0) >= n_views)

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in alphabetical order: the order of the outputs of a classifier."""
        return tuple(np.unique(self.label).tolist())


def load_pairs(
    paths: Sequence[Path | str],
    views: Literal["any"] | Sequence[str] = "any",
    columns: Sequence[str] = OPTIONAL_COLUMNS,
) -> PairTable:
    """Read pair files; only views that all of them have are used.

    Args:
        paths: one or several pair files.
        views: `any` for all common views, or names of the wanted ones.
        columns: which of `OPTIONAL_COLUMNS` to read.

    Raises:
        InputError: a file is missing or unreadable, holds damaged rows or the same rows as another one, or a
            wanted view is missing, or there is no common view.
    """
    for path in paths:
        if found := violations(Path(path)):
            raise InputError(f"{path}: {found[0]} ({len(found)} violations in all); generate the file again")
    names = _common_views([Path(path) for path in paths], views)
    tables = [_load_file(Path(path), names, columns) for path in paths]
    _refuse_repeated(tables)
    return tables[0] if len(tables) == 1 else _concatenate(tables)


def _common_views(paths: Sequence[Path], wanted: Literal["any"] | Sequence[str]) -> tuple[str, ...]:
    available: dict[Path, dict[str, ViewRecord]] = {}
    for path in paths:
        with PairFile(path) as file:
            available[path] = {view.name: view for view in file.views}
    first, *others = available.values()
    common = tuple(name for name in first if all(name in views for views in others))
    for name in common:
        if any(views[name] != first[name] for views in others):
            raise InputError(
                f"view {name!r} has other settings in some of the pair files; generate them with one card"
            )
    listing = "; ".join(f"{path}: {', '.join(names)}" for path, names in available.items())
    if not common:
        raise InputError(f"the pair files have no common view ({listing}); generate them with one card")
    if wanted == "any":
        return common
    missing = [name for name in wanted if name not in common]
    if missing:
        raise InputError(f"data.views asks for {missing[0]!r}, common to all files are {', '.join(common)}")
    return tuple(name for name in common if name in wanted)


def _load_file(path: Path, views: tuple[str, ...], columns: Sequence[str]) -> PairTable:
    with PairFile(path) as file:
        return replace(read_rows(file, views, 0, len(file), columns), files=(file_record(file),))


def file_record(file: PairFile) -> FileRecord:
    """What a provenance says of an open file."""
    rows_of_class = dict(Counter(file.label_names().tolist()))
    return FileRecord(str(file.path), digest(file.path), len(file), rows_of_class, tuple(file.view_names))


def read_rows(
    file: PairFile, views: Sequence[str], start: int, stop: int, columns: Sequence[str] = OPTIONAL_COLUMNS
) -> PairTable:
    """Rows `start:stop` in some views; nothing else of the file is read, and `files` stays empty.

    Args:
        file: an open pair file.
        views: names of the wanted views.
        start: first row.
        stop: one beyond the last row; at most the number of rows.
        columns: which of `OPTIONAL_COLUMNS` to read.
    """
    rows = slice(start, stop)
    offsets = np.stack([file.read(schema.offsets_path(view), slice(start, stop + 1)) for view in views])
    counts = np.diff(offsets)
    before = np.concatenate([[0], np.cumsum(counts.sum(1))])[:-1]

    def jets(name: str) -> npt.NDArray[Any]:
        return np.stack([file.read(f"views/{view}/jets/{name}", rows) for view in views])

    return PairTable(
        views=tuple(views),
        sources=tuple(file.source_hashes),
        source=file.read("hard_scatter/source", rows).astype(np.int64),
        event=file.read("hard_scatter/event", rows).astype(np.int64),
        label=file.label_names(rows),
        valid=np.stack([file.read(f"views/{view}/valid", rows) for view in views]),
        starts=offsets[:, :-1] - offsets[:, :1] + before[:, None],
        counts=counts,
        constituents=_read_constituents(file, views, offsets, columns),
        jets=JetColumns(*(jets(field.name) for field in fields(JetColumns))),
        files=(),
    )


def _read_constituents(
    file: PairFile, views: Sequence[str], offsets: Integers, columns: Sequence[str]
) -> Constituents:
    """Those between the first and the last offset of each view; offsets are `(V, rows + 1)`."""
    ranges = [slice(int(ends[0]), int(ends[-1])) for ends in offsets]

    def column(name: str) -> npt.NDArray[Any]:
        return np.concatenate([file.constituents(v, name, inside) for v, inside in zip(views, ranges, strict=True)])

    momentum = {name: column(name) for name in MOMENTUM}
    return Constituents(**momentum, other={name: column(name) for name in columns})


def _refuse_repeated(tables: Sequence[PairTable]) -> None:
    seen: dict[tuple[str, int], str] = {}
    for table in tables:
        path = table.files[0].path
        keys = {(table.sources[source], event) for source, event in zip(table.source, table.event, strict=True)}
        for key in keys:
            if key in seen:
                raise InputError(
                    f"{path}: shares hard scatters with {seen[key]} (event {key[1]} of {key[0][:12]}...); list one of"
                    " them, or generate their views with one card"
                )
        seen |= dict.fromkeys(keys, path)


def _concatenate(tables: Sequence[PairTable]) -> PairTable:
    sources = tuple(dict.fromkeys(name for table in tables for name in table.sources))
    before = np.concatenate([[0], np.cumsum([len(table.constituents.pt) for table in tables])])
    index = [np.array([sources.index(name) for name in table.sources], np.int64) for table in tables]
    return PairTable(
        views=tables[0].views,
        sources=sources,
        source=np.concatenate([new[table.source] for new, table in zip(index, tables, strict=True)]),
        event=np.concatenate([table.event for table in tables]),
        label=np.concatenate([table.label for table in tables]),
        valid=np.concatenate([table.valid for table in tables], axis=1),
        starts=np.concatenate([t.starts + shift for t, shift in zip(tables, before[:-1], strict=True)], axis=1),
        counts=np.concatenate([table.counts for table in tables], axis=1),
        constituents=_concatenate_constituents([table.constituents for table in tables]),
        jets=JetColumns(
            *(np.concatenate([getattr(t.jets, f.name) for t in tables], axis=1) for f in fields(JetColumns))
        ),
        files=tuple(record for table in tables for record in table.files),
    )


def _concatenate_constituents(parts: Sequence[Constituents]) -> Constituents:
    momentum = {name: np.concatenate([getattr(part, name) for part in parts]) for name in MOMENTUM}
    other = {name: np.concatenate([part.other[name] for part in parts]) for name in parts[0].other}
    return Constituents(**momentum, other=other)
