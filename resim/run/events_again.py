"""Whole events of a view, made again from the LHE files of a pair file, as HepMC3 for other programs."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np

from resim.card.view_plan import ViewPlan
from resim.common.atomic_write import OTHER_OUTPUT, atomic_write
from resim.common.errors import InputError
from resim.common.progress import ProgressReport
from resim.detector.hepmc_text import write_hepmc
from resim.hard_scatter.lhe_reading import event_texts
from resim.pairfile.reader import PairFile
from resim.particles import Particles
from resim.run.chunks import Chunk, Plan
from resim.run.process_chunk import realized
from resim.run.replay import stored_plan

EVENTS_AT_ONCE: Final = 100


def write_events(path: Path, output: Path, view: str | None, *, quiet: bool = False) -> int:
    """Write the visible generated particles of a view, bit by bit those that its jets were made of.

    Args:
        path: pair file; its LHE files must lie where they lay when it was made.
        output: HepMC3 text; the number of an event is that of its first row in the file.
        view: name; None for the root view.
        quiet: report no progress.

    Returns:
        Number of events: hard scatters with rows that the generator did not give up.

    Raises:
        InputError: no such view, one of an external generator, which makes slices of a file, or an LHE file is
            missing or another one.
    """
    with PairFile(path) as file, atomic_write(output, OTHER_OUTPUT) as partial:
        name = view or file.view_names[0]
        if name not in file.view_names:
            raise InputError(f"{path}: has no view {name!r}, but {', '.join(file.view_names)}; correct --view")
        return write_hepmc(partial, _batches(file, name, quiet))


def _batches(file: PairFile, view: str, quiet: bool) -> Iterator[tuple[Particles, list[int]]]:
    source, event = (file.hard_scatter(name).astype(np.int64) for name in ("source", "event"))
    pairs, first_row = np.unique(np.stack([source, event], axis=1), axis=0, return_index=True)
    with ProgressReport("exporting", len(pairs), "events", quiet) as report:
        for number in np.unique(source).tolist():
            of_source = pairs[:, 0] == number
            rows = dict(zip(pairs[of_source, 1].tolist(), first_row[of_source].tolist(), strict=True))
            plan = stored_plan(file, number, None)
            plan = replace(plan, views=_needed(plan.views, view, file.path))
            for chunk in _chunks(plan, number, rows):
                made, realizations = realized(plan, chunk)
                yield realizations[view].particles, [rows[scatter.index] for scatter in made.scatters]
                report.advance(len(chunk.events))


def _chunks(plan: Plan, source: int, wanted: dict[int, int]) -> Iterator[Chunk]:
    origin = plan.sources[source]
    texts = event_texts(origin.path, max(wanted) + 1, origin.bad_events)
    texts = (text for text in texts if text.index in wanted)
    while events := tuple(islice(texts, EVENTS_AT_ONCE)):
        yield Chunk(0, source, events)


def _needed(views: Sequence[ViewPlan], name: str, path: Path) -> tuple[ViewPlan, ...]:
    """The root, the view, and those whose shower or particles it has, without detectors."""
    wanted = next(view for view in views if view.name == name)
    names = {views[0].name, name, wanted.shower_owner, wanted.particles_owner}
    found = tuple(replace(view, detector=None) for view in views if view.name in names)
    if external := [view for view in found if view.generator.name != "pythia8"]:
        generator = external[0].generator.name
        raise InputError(f"{path}: view {name!r} is of {generator}, only events of Pythia 8 are made again")
    return found
