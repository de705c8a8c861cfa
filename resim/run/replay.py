"""Make one row of a pair file again and compare it with the stored one."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from resim.card.view_plan import DetectorPlan, plan_from_records
from resim.common.errors import InputError
from resim.common.versions import versions
from resim.hard_scatter.lhe_reading import event_texts, survey
from resim.pairfile.provenance import Provenance
from resim.pairfile.reader import PairFile
from resim.pairfile.recipe import stored_card
from resim.pairfile.rounding import rounded_block
from resim.pairfile.row_block import RowBlock
from resim.run.chunks import Chunk, Plan
from resim.run.planning import programs_of
from resim.run.process_chunk import process
from resim.run.sources import plan_source


@dataclass(frozen=True, slots=True)
class Replay:
    """Result of making a row again.

    Attributes:
        row: the row.
        event: index of its event in the LHE file.
        lhe: the LHE file.
        differing: paths of the datasets in which the row differs; empty if all are identical.
        changed_versions: name → (version then, version now) of packages and programs that have changed since.
    """

    row: int
    event: int
    lhe: Path
    differing: tuple[str, ...]
    changed_versions: dict[str, tuple[str, str]]


def replay(path: Path, row: int, lhe: Path | None = None) -> Replay:
    """Make row `row` of a pair file again from its provenance and compare every column of every view bit by bit.

    Args:
        path: pair file.
        row: index of the row.
        lhe: where the LHE file is now; None: where the card had it.

    Raises:
        InputError: no such row, or the LHE file is missing or another one.
    """
    with PairFile(path) as file:
        source, event = _place(file, row)
        plan = stored_plan(file, source, lhe)
        for detector in {view.detector for view in plan.views if view.detector}:
            _require_same(detector)
        try:
            made = _made_again(file, row, plan)
            differing = _differing(file.block(row, row + 1), rounded_block(made) if file.rounded else made)
        except _OtherRows as error:
            differing = (str(error),)
        before = file.provenance.versions
    present = versions() | programs_of(plan)
    changed = {name: (before[name], now) for name, now in present.items() if before.get(name, now) != now}
    return Replay(row, event, plan.sources[source].path, differing, changed)


def generated_row(path: Path, row: int, lhe: Path | None = None) -> RowBlock:
    """Row `row` of a pair file made again without detectors: every view holds the jet of its generated particles.

    Raises:
        InputError: as `replay`; or the event gives other rows now.
    """
    with PairFile(path) as file:
        plan = stored_plan(file, _place(file, row)[0], lhe)
        try:
            return _made_again(file, row, replace(plan, views=tuple(replace(v, detector=None) for v in plan.views)))
        except _OtherRows as error:
            raise InputError(f"{path}: row {row} cannot be made again: {error}; see `resim replay`") from error


class _OtherRows(Exception):  # noqa: N818 - says what happened
    """An event gives another number of rows than before."""


def _place(file: PairFile, row: int) -> tuple[int, int]:
    """Source of a row, and index of its event in that."""
    if not 0 <= row < len(file):
        raise InputError(f"{file.path}: row {row} does not exist, the file has rows 0 ... {len(file) - 1}")
    source, event = (int(file.hard_scatter(name)[row]) for name in ("source", "event"))
    return source, event


def _made_again(file: PairFile, row: int, plan: Plan) -> RowBlock:
    """The row alone, as the plan gives it now."""
    source, event = _place(file, row)
    made = process(plan, _chunk(plan, source, event, file.provenance)).block
    siblings = np.flatnonzero((file.hard_scatter("source") == source) & (file.hard_scatter("event") == event))
    again = np.flatnonzero(made.arrays["hard_scatter/event"] == event)
    if len(again) != len(siblings):
        raise _OtherRows(f"the event gives {len(again)} rows instead of {len(siblings)}")
    return made.row(int(again[siblings == row][0]))


def _differing(then: RowBlock, now: RowBlock) -> tuple[str, ...]:
    def same(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> bool:
        return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")

    return tuple(path for path, array in then.arrays.items() if not same(array, now.arrays[path]))


def stored_plan(file: PairFile, source: int, lhe: Path | None) -> Plan:
    """The plan of the run that made a file, for one of its sources.

    Args:
        file: an open pair file.
        source: index of the source.
        lhe: where its LHE file is now; None: where the card had it.

    Raises:
        InputError: no such source, or the LHE file is missing or another one.
    """
    provenance = file.provenance
    if not 0 <= source < len(provenance.sources):
        raise InputError(
            f"{file.path}: source {source} is none of {len(provenance.sources)}; generate the file again"
        )
    card = stored_card(provenance, file.path)
    path, record = lhe or Path(provenance.sources[source].lhe), provenance.sources[source]
    # Only a file with broken events is read as a whole: its first event may be one of them.
    skip = bool(record.bad_events)
    keeps = file.weight_names is not None
    found = survey(path, n_events=None if skip else 1, skip_bad=skip, all_weights=keeps)
    if found.sha256 != record.sha256:
        raise InputError(
            f"{path}: SHA-256 {found.sha256[:12]}..., the row was made from {record.sha256[:12]}...;"
            " give the original file with --lhe"
        )
    views = plan_from_records(file.views)
    made_from = plan_source(path, dict(card.sources[source].rows), found)
    return Plan(card, provenance.seed, (made_from,) * len(card.sources), views, file.weight_names)


def _require_same(detector: DetectorPlan) -> None:
    """Raise an `InputError` if the files of a detector are not those with which the pair file was made."""
    card, pileup = detector.stage.card_path, detector.stage.pileup
    if not card.is_file() or (now := DetectorPlan.of(detector.stage)).sha256 != detector.sha256:
        raise InputError(f"{card}: missing, or not the card that the file was made with; restore it")
    if pileup and now.pool_sha256 != detector.pool_sha256:
        raise InputError(f"{pileup.pool}: not the pool that the file was made with; restore it")


def _chunk(plan: Plan, source: int, event: int, provenance: Provenance) -> Chunk:
    """The event alone, or the slice in which an external simulator makes it."""
    length = max(view.slice_events for view in plan.views)
    first = event // length * length
    last = min(first + length, provenance.n_events or sys.maxsize) if length > 1 else event + 1
    origin = plan.sources[source]
    events = event_texts(origin.path, last, origin.bad_events)
    return Chunk(0, source, tuple(event for event in events if event.index >= first))
