"""The command `resim import`: jets from the files of others into a pair file, read in pieces."""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from resim.common import plugins
from resim.common.errors import InputError
from resim.common.progress import ProgressReport
from resim.common.row_counts import LossReason, SourceCounts, ViewCounts
from resim.common.versions import git_state, utc_now, versions
from resim.formats.arrays import Hdf5Arrays, NpzArrays
from resim.formats.columns_card import array_of
from resim.formats.containers import Container, Reader
from resim.formats.flat_columns import FlatColumns, values_of_jets
from resim.formats.imported_jets import class_name, imported_jets
from resim.formats.imported_vertices import imported_vertices
from resim.formats.mapping_card import READERS, ContainerCard, ContainerSection, MappingCard
from resim.formats.pandas_frame import PandasFrame
from resim.formats.row_views import block_of, rows_of_views, view_records
from resim.formats.tables import ParquetTable, RootTree
from resim.pairfile.provenance import Provenance, SourceRecord
from resim.pairfile.writer import PairWriter

JETS_AT_ONCE: Final = 10_000
"""Even, so that both jets of a pair come together; some 100 MB at 200 constituents."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Source:
    path: Path
    sha256: str
    n_entries: int
    """jets that are read"""
    n_rows: int
    """jets, or pairs of them"""
    n_rows_in_file: int
    """those that are not read, too"""


def import_jets(
    files: Sequence[Path], output: Path, card: MappingCard, n_jets: int | None = None, *, quiet: bool = False
) -> Provenance:
    """Read the jets of some files and write them as a pair file.

    Args:
        files: files of others, all of the format that the card describes.
        output: the pair file.
        card: what their columns mean.
        n_jets: entries to read of each file; None: all.
        quiet: report no progress.

    Returns:
        The provenance of the pair file.

    Raises:
        InputError: a file is unreadable, given twice, or contradicts the card.
    """
    sources = [_survey(path, card, n_jets) for path in files]
    if len({source.sha256 for source in sources}) < len(sources):
        raise InputError(f"{', '.join(map(str, files))}: two of these files are equal; give each once")
    if card.missing:
        log.warning("%s says nothing of %s: these are 0", card.name, " and ".join(card.missing))
    card, labels = _without_absent_views(sources, card), _labels(sources, card)
    hashes, vertices = [source.sha256 for source in sources], card.columns.vertices is not None
    with PairWriter(output, view_records(card.views), labels, hashes, vertices=vertices) as writer:
        provenance = _provenance(sources, card, n_jets)
        number = {name: i for i, name in enumerate(labels)}
        with ProgressReport("importing", sum(source.n_entries for source in sources), card.entries, quiet) as report:
            for i, source in enumerate(sources):
                n_rows, counts = _append(writer, _pieces(source, card, report), source, (i, number), card)
                provenance = provenance.counting(i, counts, _of_views(n_rows), 0.0)
        writer.finish(provenance)
    _warn_if_empty(provenance, card)
    return provenance


def _append(
    writer: PairWriter,
    pieces: Iterable[FlatColumns],
    source: _Source,
    number: tuple[int, dict[str, int]],
    card: MappingCard,
) -> tuple[dict[str, int], SourceCounts]:
    """Write the jets of a source; `number` is its own and those of the labels.

    Returns:
        Number of rows by view, and what became of the entries.
    """
    n_rows, n_entries, n_unlabelled = {record.name: 0 for record in view_records(card.views)}, 0, 0
    for columns in pieces:
        n_unlabelled += columns.n_unlabelled
        if len(columns.entries):
            views = rows_of_views(imported_jets(columns, card), columns, card.views)
            writer.append(block_of(views, *number, imported_vertices(columns, card.columns)))
            n_rows = {view: n_rows[view] + len(rows.row) for view, rows in views.items()}
            n_entries += len(np.unique(next(iter(views.values())).jets.entry))
    return n_rows, _of_source(source, max(n_rows.values()), n_entries, n_unlabelled, card)


def _warn_if_empty(provenance: Provenance, card: MappingCard) -> None:
    if not any(source.counts.rows for source in provenance.sources):
        files = ", ".join(source.lhe for source in provenance.sources)
        where = "`unit` and `cluster`" if card.cluster else "`padding`"
        log.warning("%s: none of the %s became a row; check %s in the mapping card", files, card.entries, where)


def _survey(path: Path, card: MappingCard, n_jets: int | None) -> _Source:
    with _opened(path, card.container) as container:
        n_entries = container.n_entries(card.arrays)
    if card.views is not None and n_entries % 2:
        raise InputError(f"{path}: has {n_entries} jets, an odd number, where pairs are declared; correct `views`")
    n_read = n_entries if n_jets is None else min(n_entries, n_jets)
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    entries_of_row = 2 if card.views else 1
    return _Source(path, sha256, n_read, n_read // entries_of_row, n_entries // entries_of_row)


def _labels(sources: Sequence[_Source], card: MappingCard) -> list[str]:
    """Names of all classes; where a column holds names, it is read first."""
    found = card.labels
    if found.all is not None:
        return [found.all]
    names = found.flags or found.names
    if names:
        return list(dict.fromkeys(names.values()))
    return sorted({class_name(value) for value in _values(sources, card, str(found.column))})


def _without_absent_views(sources: Sequence[_Source], card: MappingCard) -> MappingCard:
    """The card with the views that the files hold."""
    if card.views is None:
        return card
    root, *others = card.views.names
    present = _values(sources, card, card.views.column)
    names = {value: card.views.names[value] for value in (root, *others) if value == root or value in present}
    return card.model_copy(update={"views": card.views.model_copy(update={"names": names})})


def _values(sources: Sequence[_Source], card: MappingCard, column: str) -> set[Any]:
    """The values of a column of jets."""
    found: set[Any] = set()
    for source in sources:
        with _opened(source.path, card.container) as container:
            for batch in container.batches([array_of(column)], source.n_entries, JETS_AT_ONCE):
                found |= set(values_of_jets(source.path, batch, column).tolist())
    return found


def _pieces(source: _Source, card: MappingCard, report: ProgressReport) -> Iterator[FlatColumns]:
    first = 0
    with _opened(source.path, card.container) as container:
        for batch in container.batches(card.arrays, source.n_entries, JETS_AT_ONCE):
            yield FlatColumns(source.path, batch, card, first)
            done = min(JETS_AT_ONCE, source.n_entries - first)
            first += done
            report.advance(done)


def _of_source(source: _Source, n_rows: int, n_entries: int, n_unlabelled: int, card: MappingCard) -> SourceCounts:
    """Of `n_entries` some became rows: one each, or of an event some jets."""
    partons = n_rows if card.cluster else source.n_rows
    lost = {LossReason.UNLABELLED: n_unlabelled, LossReason.EMPTY_JET: partons - n_rows - n_unlabelled}
    rejected: dict[str, int] = {reason: n for reason, n in lost.items() if n}
    return SourceCounts(
        events=source.n_rows, events_with_rows=n_entries, partons=partons, rejected=rejected, rows=n_rows
    )


def _of_views(n_rows: dict[str, int]) -> dict[str, ViewCounts]:
    rows = max(n_rows.values())  # every row is valid in the root view
    return {
        name: ViewCounts(valid=n, lost={LossReason.NOT_IN_THE_FILE: rows - n} if n < rows else {})
        for name, n in n_rows.items()
    }


def _provenance(sources: Sequence[_Source], card: MappingCard, n_jets: int | None) -> Provenance:
    records = [
        SourceRecord(
            lhe=str(source.path), sha256=source.sha256, events_in_file=source.n_rows_in_file, generator=card.name
        )
        for source in sources
    ]
    commit, dirty = git_state()
    content = card.model_dump(mode="json", exclude_none=True)
    return Provenance(
        card=content,
        run_key=hashlib.sha256(card.model_dump_json().encode()).hexdigest(),
        seed=0,
        n_events=n_jets,
        sources=records,
        views={record.name: ViewCounts() for record in view_records(card.views)},
        versions=versions() | _package_of(card.container),
        commit=commit,
        dirty=dirty,
        created=utc_now(),
        seconds=0.0,
        workers=1,
    )


def _kind(card: ContainerSection) -> str:
    return str(card.model_dump()["kind"])


def _package_of(card: ContainerSection) -> dict[str, str]:
    """Version of the installed package that reads the files, if it is not this one."""
    return {} if isinstance(card, ContainerCard) else dict([plugins.package_of(READERS, _kind(card))])


def _opened(path: Path, card: ContainerSection) -> AbstractContextManager[Container]:
    """The file, to be used in a `with` statement.

    Raises:
        InputError: it is missing, unreadable, or of another kind.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; correct the path")
    return closing(_container(path, card))


def _container(path: Path, card: ContainerSection) -> Container:
    if not isinstance(card, ContainerCard):
        return plugins.load(READERS, _kind(card), Reader)(path, card)  # type: ignore[type-abstract]
    if card.kind == "root":
        return RootTree(path, str(card.tree))
    if card.kind == "parquet":
        return ParquetTable(path)
    if card.kind == "hdf5":
        return Hdf5Arrays(path)
    if card.kind == "npz":
        return NpzArrays(path)
    return PandasFrame(path, card.key)
