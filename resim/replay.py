"""Make one row again from the file that holds it, and compare: what reproducible means, made checkable."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resim import schema
from resim.config import GenerationCard
from resim.errors import InputError
from resim.hard_scatter.reading import Survey, event_blocks, survey
from resim.pipeline import Chunk, Plan, SourcePlan, process
from resim.provenance import versions
from resim.reader import PairFile
from resim.realization import SLICE_EVENTS
from resim.views import ViewPlan, plan_from_records


@dataclass(frozen=True, slots=True)
class Replay:
    """What came out of making a row again.

    Attributes:
        row: the row.
        event: index of its event in the LHE file.
        lhe: the LHE file.
        differing: paths of the datasets of the row that came out different; empty if all are identical.
        changed_versions: name → (version then, version now) of packages that have changed since.
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
        if not 0 <= row < len(file):
            raise InputError(f"{path}: row {row} does not exist, the file has rows 0 ... {len(file) - 1}")
        source, event = (int(file.hard_scatter(name)[row]) for name in ("source", "event"))
        plan, found = _plan(file, source, lhe)
        chunk = _chunk(plan, source, event, found)
        result = process(plan, chunk)
        made = np.flatnonzero(result.block.arrays["hard_scatter/event"] == event)
        siblings = (file.hard_scatter("source") == source) & (file.hard_scatter("event") == event)
        position = int(np.flatnonzero(np.flatnonzero(siblings) == row)[0])
        differing = tuple(
            name
            for name, then in _row(file.read, file.view_names, row).items()
            if position >= len(made) or not _same(then, _from_block(result.block.arrays, name, int(made[position])))
        )
        then = file.provenance.versions
    changed = {name: (then[name], now) for name, now in versions().items() if then.get(name, now) != now}
    return Replay(row, event, plan.sources[source].path, differing, changed)


def _plan(file: PairFile, source: int, lhe: Path | None) -> tuple[Plan, Survey]:
    provenance = file.provenance
    card = GenerationCard.model_validate(provenance.card)
    paths = [Path(record.lhe) for record in provenance.sources]
    paths[source] = lhe or paths[source]
    found = survey(paths[source], n_events=1)
    if found.sha256 != provenance.sources[source].sha256:
        raise InputError(
            f"{paths[source]}: SHA-256 {found.sha256[:12]}..., the row was made from"
            f" {provenance.sources[source].sha256[:12]}...; give the original file with --lhe"
        )
    sources = tuple(
        SourcePlan(path, record.sha256, found.beams, dict(card.sources[i].rows))
        for i, (path, record) in enumerate(zip(paths, provenance.sources, strict=True))
    )
    return Plan(card, provenance.seed, sources, plan_from_records(file.views)), found


def _chunk(plan: Plan, source: int, event: int, found: Survey) -> Chunk:
    """The event alone, or the slice in which an external simulator makes it."""
    alone = all(view.generator == "pythia8" for view in plan.views)
    first = event if alone else event // SLICE_EVENTS * SLICE_EVENTS
    ...
