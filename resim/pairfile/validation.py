"""Check a pair file against the schema and against its own provenance."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resim.card.view_plan import plan_from_records
from resim.common.errors import InputError
from resim.common.units import PYTHIA_SEED_MAX
from resim.pairfile import schema
from resim.pairfile.layout import LayoutError
from resim.pairfile.places import identity_of_place
from resim.pairfile.reader import PairFile

_JETS_AT_ONCE = 10_000
_SIGNED = ("eta", "phi")


def violations(path: Path) -> list[str]:
    """Everything that is wrong with a pair file, one line each; empty if it is sound.

    Raises:
        InputError: the file cannot be opened as a pair file of this schema version.
    """
    try:
        with PairFile(path) as file:
            found = [f"{stranger}: not part of the schema" for stranger in file.strangers]
            found += [*_settings(file), *_hard_scatters(file), *_counts(file)]
            found += _weights(file) if file.layout.weights else []
            for view in file.view_names:
                ragged = list(_offsets(file, view))
                found += [*ragged, *_jets(file, view), *([] if ragged else _entries(file, view))]
            return found
    except LayoutError as wrong:
        return wrong.faults  # the other checks need the layout


def _settings(file: PairFile) -> Iterator[str]:
    if not any(view.settings for view in file.views):  # toy jets, which no generator made
        return
    try:
        plan_from_records(file.views)
    except InputError as error:
        yield str(error)


def _hard_scatters(file: PairFile) -> Iterator[str]:
    for column in schema.HARD_SCATTER:
        values = file.hard_scatter(column.name)
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            yield f"hard_scatter/{column.name}: not finite in row {int(np.argmin(np.isfinite(values)))}"
    for name, known in (("label", file.labels), ("source", file.source_hashes)):
        values = file.hard_scatter(name)
        if len(values) and not (values.min() >= 0 and values.max() < len(known)):
            yield f"hard_scatter/{name}: values {values.min()} ... {values.max()}, want 0 ... {len(known) - 1}"
            return  # the check below needs them
    places = identity_of_place(file.source_hashes, file.hard_scatter("source"), file.hard_scatter("event"))
    _, first, place = np.unique(places, return_index=True, return_inverse=True)
    identity = file.hard_scatter("identity")
    if (wrong := identity != identity[first][place]).any():
        yield f"hard_scatter/identity: row {int(np.argmax(wrong))} differs from another row of its event"


def _weights(file: PairFile) -> Iterator[str]:
    offsets, number = file.read(schema.WEIGHT_OFFSETS.name), file.read("weights/number")
    if offsets[0] != 0 or offsets[-1] != len(number) or (np.diff(offsets) < 0).any():
        yield f"{schema.WEIGHT_OFFSETS.name}: do not rise from 0 to {len(number)}"
    names = file.weight_names or ()
    if len(number) and not (number.min() >= 0 and number.max() < len(names)):
        yield f"weights/number: values {number.min()} ... {number.max()}, want 0 ... {len(names) - 1}"
    if not np.isfinite(values := file.read("weights/value")).all():
        yield f"weights/value: not finite in entry {int(np.argmin(np.isfinite(values)))}"


def _counts(file: PairFile) -> Iterator[str]:
    provenance = file.provenance
    rows = sum(source.counts.rows for source in provenance.sources)
    if rows != len(file):
        yield f"provenance: counts {rows} rows, the file has {len(file)}"
    for source in provenance.sources:
        counts = source.counts
        if counts.partons != counts.rows + sum(counts.rejected.values()):
            yield f"provenance: {source.lhe}: {counts.partons} partons are not rows + rejected ({counts})"
    if [source.sha256 for source in provenance.sources] != file.source_hashes:
        yield "provenance: its sources are not those of hard_scatter"
    for view, view_counts in provenance.views.items():
        valid = int(file.valid(view).sum())
        if view_counts.valid != valid:
            yield f"provenance: {view} counts {view_counts.valid} valid rows, the file has {valid}"
        if view_counts.valid + sum(view_counts.lost.values()) != len(file):
            yield f"provenance: {view}: valid + lost rows are not {len(file)} ({view_counts})"


def _offsets(file: PairFile, view: str) -> Iterator[str]:
    for group in file.layout.ragged_groups_of(view):
        offsets, n_entries = file.read(group.offsets), file.length(next(iter(group.columns)))
        if offsets[0] != 0 or offsets[-1] != n_entries:
            yield f"{group.offsets}: run from {offsets[0]} to {offsets[-1]}, want 0 to {n_entries}"
        if (np.diff(offsets) < 0).any():
            yield f"{group.offsets}: decrease in row {int(np.argmax(np.diff(offsets) < 0))}"
    lengths = np.diff(file.offsets(view))
    if (wrong := (lengths > 0) != file.valid(view)).any():
        yield f"views/{view}/valid: row {int(np.argmax(wrong))} is valid without constituents, or invalid with some"
    if (wrong := lengths != file.jets(view, "n_constituents")).any():
        yield f"views/{view}/jets/n_constituents: row {int(np.argmax(wrong))} differs from its offsets"


def _jets(file: PairFile, view: str) -> Iterator[str]:
    valid = file.valid(view)
    for column in schema.JETS:
        values = file.jets(view, column.name)
        if values.dtype.kind != "f":
            continue
        if (wrong := np.isfinite(values) != valid).any():
            row = int(np.argmax(wrong))
            state = "valid" if valid[row] else "invalid"
            yield f"views/{view}/jets/{column.name}: {values[row]} in row {row}, which is {state}"
        elif column.name == "pt" and (values[valid] <= 0).any():
            yield f"views/{view}/jets/pt: not positive in row {int(np.flatnonzero(valid & (values <= 0))[0])}"
        elif column.name not in _SIGNED and (values[valid] < 0).any():
            yield f"views/{view}/jets/{column.name}: negative in row {int(np.flatnonzero(valid & (values < 0))[0])}"
    for stage in () if file.provenance.imported else ("shower", "hadronization"):
        seeds = file.read(f"views/{view}/seeds/{stage}")
        if (wrong := valid & ((seeds < 1) | (seeds > PYTHIA_SEED_MAX))).any():
            row = int(np.argmax(wrong))
            yield f"views/{view}/seeds/{stage}: {seeds[row]} in row {row}, want 1 ... {PYTHIA_SEED_MAX}"


def _entries(file: PairFile, view: str) -> Iterator[str]:
    yield from _constituents(file, view)
    if file.has_vertices:
        yield from _vertices(file, view)
    if file.has_cells:
        yield from _cells(file, view)


def _vertices(file: PairFile, view: str) -> Iterator[str]:
    offsets = file.vertex_offsets(view)
    yield from _without_jet(file, view, "vertices", schema.vertex_offsets_path(view), offsets)
    for row, part in _parts(offsets):
        yield from _not_finite(file, f"views/{view}/vertices", schema.VERTICES, row, part)
        if (few := file.vertices(view, "n_tracks", part) < 2).any():
            yield f"views/{view}/vertices/n_tracks: below 2 in row {row[np.argmax(few)]}"


def _cells(file: PairFile, view: str) -> Iterator[str]:
    for group, columns in schema.CELL_GROUPS.items():
        offsets = file.group_offsets(view, group)
        yield from _without_jet(file, view, group, schema.group_offsets_path(view, group), offsets)
        for row, part in _parts(offsets):
            yield from _not_finite(file, f"views/{view}/{group}", columns, row, part)
            if group != "tracks" and (wrong := file.group(view, group, "energy", part) <= 0).any():
                yield f"views/{view}/{group}/energy: not positive in row {row[np.argmax(wrong)]}"
    n_clusters = np.diff(file.group_offsets(view, "clusters"))
    for row, part in _parts(file.group_offsets(view, "cells")):
        cluster = file.group(view, "cells", "cluster", part)
        if (wrong := (cluster < 0) | (cluster >= n_clusters[row])).any():
            first = np.argmax(wrong)
            known = n_clusters[row[first]]
            yield f"views/{view}/cells/cluster: {cluster[first]} in row {row[first]}, which has {known}"


def _constituents(file: PairFile, view: str) -> Iterator[str]:
    for row, part in _parts(file.offsets(view)):
        yield from _not_finite(file, f"views/{view}/constituents", schema.CONSTITUENTS, row, part)
        pt = file.constituents(view, "pt", part)
        if (pt <= 0).any():
            yield f"views/{view}/constituents/pt: not positive in row {row[np.argmax(pt <= 0)]}"
        rising = (np.diff(pt) > 0) & (np.diff(row) == 0)
        if rising.any():
            yield f"views/{view}/constituents/pt: not descending in row {row[1:][rising][0]}"


def _parts(offsets: npt.NDArray[np.int64]) -> Iterator[tuple[npt.NDArray[np.int64], slice]]:
    """The entries of some thousand rows at a time, which memory holds: the row of each, and where they stand."""
    for first in range(0, len(offsets) - 1, _JETS_AT_ONCE):
        bounds = offsets[first : first + _JETS_AT_ONCE + 1]
        rows = np.arange(first, first + len(bounds) - 1)
        yield np.repeat(rows, np.diff(bounds)), slice(int(bounds[0]), int(bounds[-1]))


def _without_jet(file: PairFile, view: str, entries: str, path: str, offsets: npt.NDArray[np.int64]) -> Iterator[str]:
    if (wrong := (np.diff(offsets) > 0) & ~file.valid(view)).any():
        yield f"{path}: row {int(np.argmax(wrong))} has {entries} and no jet"


def _not_finite(
    file: PairFile, path: str, columns: Iterable[schema.Column], row: npt.NDArray[np.int64], part: slice
) -> Iterator[str]:
    for column in columns:
        values = file.read(f"{path}/{column.name}", part)
        if values.dtype.kind == "f" and (wrong := ~np.isfinite(values)).any():
            yield f"{path}/{column.name}: not finite in row {row[np.argmax(wrong)]}"
