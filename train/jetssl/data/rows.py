"""Rows of one or several pair files without their jets: hard scatter, class, parton, which views are valid.

Letters: V views, R rows (hard partons).
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from jetssl.config.data import ANY
from jetssl.data.content_cache import cached
from jetssl.data.views import among, named
from jetssl.data.weights import AUTO, relative_weights, stored_weights
from resim.card.view_plan import ViewRecord
from resim.common.arrays import Booleans, Floats32, Integers
from resim.common.errors import InputError
from resim.pairfile.digest import digest
from resim.pairfile.places import identity_of_place
from resim.pairfile.reader import PairFile
from resim.pairfile.validation import violations

log = logging.getLogger(__name__)

UNLABELLED: Final = "unlabelled"
"""The only class of a domain whose labels nobody may learn from."""


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
    version: int = 2
    """of its schema: in version 2 a hard scatter is known by its place in an LHE file, since then by its particles"""


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows of the files, one file after the other: 42 + V bytes a row, so all of it stays in memory."""

    views: tuple[str, ...]
    """names of the V views, root first"""
    sources: tuple[str, ...]
    """SHA-256 of the decompressed LHE files"""
    classes: tuple[str, ...]
    """class names in alphabetical order: the order of the outputs of a classifier"""
    source: Integers
    """int64 `(R,)`, index into `sources`"""
    event: Integers
    """int64 `(R,)`, index of the event in its LHE file"""
    identity: npt.NDArray[np.uint64]
    """uint64 `(R,)`, of the hard scatter, uniformly distributed: equal for equal events, whatever file holds them"""
    class_index: npt.NDArray[np.int16]
    """int16 `(R,)`, index into `classes`"""
    parton_pt: Floats32
    """float32 `(R,)`, GeV, of the hard parton or resonance: the same for every view"""
    parton_eta: Floats32
    """float32 `(R,)`, its pseudorapidity"""
    weight: npt.NDArray[np.float64]
    """float64 `(R,)`, of the event over the mean of its LHE file (`jetssl.data.weights`); 1 if rows count alike"""
    valid: Booleans
    """bool `(V, R)`, whether the row has a jet in the view"""
    files: tuple[FileRecord, ...]

    @property
    def n_rows(self) -> int:
        """R."""
        return len(self.event)

    @property
    def weighted(self) -> bool:
        """Whether rows count differently."""
        return bool((self.weight != 1).any())

    @property
    def label(self) -> npt.NDArray[np.str_]:
        """Class name of every row, `(R,)`."""
        return np.array(self.classes)[self.class_index]

    def without_labels(self) -> "Rows":
        """The same rows as if the files said nothing about classes: one class, `UNLABELLED`."""
        files = tuple(replace(file, labels={UNLABELLED: file.rows}) for file in self.files)
        return replace(self, classes=(UNLABELLED,), class_index=np.zeros_like(self.class_index), files=files)


def rows_of(paths: Sequence[Path | str], views: Literal["any"] | Sequence[str] = ANY, weights: str = AUTO) -> Rows:
    """Check pair files and read their rows, not their jets; only views that all files have are used.

    A file is validated and hashed once per content (`jetssl.data.content_cache`).

    Args:
        paths: one or several pair files.
        views: `any` for all common views, or names of the wanted ones, or of families of them.
        weights: `data.weights` of a card.

    Raises:
        InputError: there is no file, one is missing or unreadable, holds damaged rows or the same rows as another
            one, a wanted view or weight is missing, or there is no common view.
    """
    if not paths:
        raise InputError("no pair file: a run of imported weights has none of its own; give one with --data FILE")
    for path in paths:
        cached(Path(path), sound)
    names = _common_views([Path(path) for path in paths], views)
    of_files = [_rows_of_file(Path(path), names, weights) for path in paths]
    _refuse_repeated(of_files)
    rows = of_files[0] if len(of_files) == 1 else concatenate_rows(of_files)
    _warn_of_repeats(rows)
    return replace(rows, weight=relative_weights(rows.weight, rows.source))


def sound(path: Path) -> str:
    """Nothing, if a pair file has no violation.

    Raises:
        InputError: it has one.
    """
    if found := violations(path):
        raise InputError(f"{path}: {found[0]} ({len(found)} violations in all); generate the file again")
    return ""


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
    if wanted == ANY:
        return common
    missing = [name for name in wanted if not named(name, common)]
    if missing:
        raise InputError(f"views.pairs asks for {missing[0]!r}, common to all files are {', '.join(common)}")
    return among(wanted, common)


def _rows_of_file(path: Path, views: tuple[str, ...], weights: str) -> Rows:
    with PairFile(path) as file:
        classes, class_index = np.unique(file.label_names(), return_inverse=True)
        return Rows(
            views=views,
            sources=tuple(file.source_hashes),
            classes=tuple(classes.tolist()),
            source=file.hard_scatter("source").astype(np.int64),
            event=file.hard_scatter("event").astype(np.int64),
            identity=file.hard_scatter("identity"),
            class_index=class_index.astype(np.int16),
            parton_pt=file.hard_scatter("parton_pt"),
            parton_eta=file.hard_scatter("parton_eta"),
            weight=stored_weights(file, weights),
            valid=np.stack([file.valid(view) for view in views]),
            files=(file_record(file),),
        )


def file_record(file: PairFile) -> FileRecord:
    """What a provenance says of an open file."""
    rows_of_class = dict(Counter(file.label_names().tolist()))
    views = tuple(file.view_names)
    return FileRecord(str(file.path), cached(file.path, digest), len(file), rows_of_class, views, file.version)


def _refuse_repeated(of_files: Sequence[Rows]) -> None:
    """Refuse files with a hard scatter in common: it would be counted twice."""
    for i, one in enumerate(of_files):
        for other in of_files[:i]:
            for name in set(one.sources) & set(other.sources):
                events, more = (rows.event[rows.source == rows.sources.index(name)] for rows in (one, other))
                shared = np.intersect1d(events, more)
                if len(shared):
                    raise InputError(
                        f"{one.files[0].path}: shares hard scatters with {other.files[0].path} (event {shared[0]} of"
                        f" {name[:12]}...); list one of them, or generate their views with one card"
                    )


def _warn_of_repeats(rows: Rows) -> None:
    """Say how many hard scatters come more than once, as in an LHE file and an extract of it."""
    places = identity_of_place(rows.sources, rows.source, rows.event)
    if repeats := len(np.unique(places)) - len(np.unique(rows.identity)):
        names = ", ".join(record.path for record in rows.files)
        log.warning("%s: %d hard scatters equal others; equal ones are on one side of the split", names, repeats)
    if len({record.version for record in rows.files}) > 1:
        log.warning("files of schema version 2 beside newer ones: hard scatters that both hold are not recognized")


def concatenate_rows(of_files: Sequence[Rows]) -> Rows:
    """The rows of one after those of the other; all have the same views."""
    sources = tuple(dict.fromkeys(name for one in of_files for name in one.sources))
    classes = tuple(sorted({name for one in of_files for name in one.classes}))

    def renumbered(old: tuple[str, ...], new: tuple[str, ...], index: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.asarray(np.array([new.index(name) for name in old])[index])

    def joined(name: str) -> npt.NDArray[Any]:
        return np.concatenate([getattr(one, name) for one in of_files])

    return Rows(
        views=of_files[0].views,
        sources=sources,
        classes=classes,
        source=np.concatenate([renumbered(one.sources, sources, one.source) for one in of_files]),
        event=joined("event"),
        identity=joined("identity"),
        class_index=np.concatenate(
            [renumbered(one.classes, classes, one.class_index).astype(np.int16) for one in of_files]
        ),
        parton_pt=joined("parton_pt"),
        parton_eta=joined("parton_eta"),
        weight=joined("weight"),
        valid=np.concatenate([one.valid for one in of_files], axis=1),
        files=tuple(record for one in of_files for record in one.files),
    )
