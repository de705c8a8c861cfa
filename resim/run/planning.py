"""Plan a run: read and check the sources, resolve the views, cut the work into chunks."""

import hashlib
import json
import logging
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, groupby

from resim.card.generation_card import GenerationCard
from resim.card.run_options import RunOptions, Shard
from resim.card.stages import DEFAULT_CARDS, GENERATORS
from resim.card.view_plan import ViewPlan, plan_views
from resim.common import plugins
from resim.common.versions import identifying_versions
from resim.hard_scatter.lhe_reading import event_texts
from resim.pairfile import schema
from resim.pairfile.provenance import SourceRecord
from resim.run.chunks import Chunk, Plan
from resim.run.sources import (
    check_known,
    check_together,
    ignored_matching,
    plan_source,
    record_of,
    repeats_of,
    survey_source,
    weight_names,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChunkSpec:
    """Which events a chunk holds.

    Attributes:
        number: position among the chunks of the run.
        source: index of the source.
        events: indices of the events in the source's file.
    """

    number: int
    source: int
    events: range


@dataclass(frozen=True, slots=True)
class Run:
    """A run of `resim generate`, or one shard of it.

    Attributes:
        plan: what to make.
        sources: the inputs.
        chunks: the chunks, in the order of their numbers.
        chunk_size: events a chunk; the last one of a source may hold fewer.
        key: digest of all that determines the arrays of the whole run.
        programs: versions of the external programs that take part.
    """

    plan: Plan
    sources: tuple[SourceRecord, ...]
    chunks: tuple[ChunkSpec, ...]
    chunk_size: int
    key: str
    programs: dict[str, str]

    @property
    def n_events(self) -> int:
        """Number of events of this shard."""
        return sum(len(spec.events) for spec in self.chunks)

    def read(self, wanted: Iterable[ChunkSpec]) -> Iterator[Chunk]:
        """Read chunks, one after the other; `wanted` must be in the order of their numbers."""
        for source, specs in groupby(wanted, key=lambda spec: spec.source):
            yield from self._read_source(source, list(specs))

    def _read_source(self, source: int, specs: Sequence[ChunkSpec]) -> Iterator[Chunk]:
        origin = self.plan.sources[source]
        events = event_texts(origin.path, specs[-1].events.stop, origin.bad_events)
        event = next(events, None)
        for spec in specs:
            inside = []
            while event is not None and event.index < spec.events.stop:
                if event.index >= spec.events.start:
                    inside.append(event)
                event = next(events, None)
            yield Chunk(spec.number, source, tuple(inside))


def plan_run(card: GenerationCard, options: RunOptions, views: tuple[ViewPlan, ...] | None = None) -> Run:
    """Read every source once, check it, and fix what a run will do.

    Args:
        card: what to make.
        options: how to run.
        views: what the views do, where a pair file says it; None: what the card says.

    Raises:
        InputError: a source is broken, or holds nothing of the kind that the card wants.
    """
    surveys = [survey_source(source, options, card) for source in card.sources]
    sources = tuple(
        plan_source(source.lhe, dict(source.rows), found) for source, found in zip(card.sources, surveys, strict=True)
    )
    plan = Plan(card, options.seed, sources, views or plan_views(card), weight_names(card, surveys))
    check_together(plan, surveys)
    for source, found in zip(sources, surveys, strict=True):
        check_known(source, found, plan.views)
    ignored = [
        ignored_matching(source, found, plan.views, options.ignore_matching)
        for source, found in zip(sources, surveys, strict=True)
    ]
    events = tuple(min(found.n_events, options.n_events or found.n_events) for found in surveys)
    records = tuple(
        record_of(source, found).model_copy(update={"matching": matching, "repeats": repeats})
        for source, found, matching, repeats in zip(card.sources, surveys, ignored, repeats_of(surveys), strict=True)
    )
    programs = programs_of(plan)
    key = run_key(plan, records, events, programs)
    # An external program makes whole slices of events, and a shard must not depend on the chunk size.
    unit = max(view.slice_events for view in plan.views)
    chunk_size = -(-options.chunk_size // unit) * unit  # rounded up
    chunks = tuple(_chunks(_shares(events, unit, options.shard), chunk_size))
    return Run(plan, records, chunks, chunk_size, key, programs)


def _shares(events: Sequence[int], unit: int, shard: Shard) -> Iterator[range]:
    """Indices of the shard's events in every source.

    All sources, one after the other, are cut into units of events; a shard is a range of these units.
    """
    units = shard.range_of(sum(math.ceil(n / unit) for n in events))
    first = 0
    for n in events:
        last = first + math.ceil(n / unit)
        start, stop = (min(max(edge, first), last) - first for edge in (units.start, units.stop))
        yield range(min(start * unit, n), min(stop * unit, n))
        first = last


def _chunks(shares: Iterable[range], chunk_size: int) -> Iterator[ChunkSpec]:
    """The shares of the sources, cut into chunks."""
    number = count()
    for source, share in enumerate(shares):
        for start in range(0, len(share), chunk_size):
            yield ChunkSpec(next(number), source, share[start : start + chunk_size])


def programs_of(plan: Plan) -> dict[str, str]:
    """Versions of the external programs that take part.

    They are asked for and detector cards are read before any work is done, so that what is missing or wrong is said
    at once.
    """
    programs = {}
    if settings := [view.generator.lines for view in plan.views if view.generator.name == "herwig7"]:
        from resim.shower.herwig import herwig_for

        programs["herwig"] = herwig_for(plan.sources[0].beams, settings[0]).version
    for generator in {view.generator for view in plan.views}:
        if generator.name not in DEFAULT_CARDS:
            from resim.shower.generator import package_generator

            package_generator(plan.sources[0].beams, generator)
            programs |= dict([plugins.package_of(GENERATORS, generator.name)])
    if stages := {view.detector for view in plan.views if view.detector}:
        from resim.detector.cells.cocoa_backend import Cocoa
        from resim.detector.delphes_backend import Delphes
        from resim.jets.reconstruct_views import detector_for

        for detector in map(detector_for, stages):
            if isinstance(detector, Delphes):
                programs["delphes"] = detector.version
            elif isinstance(detector, Cocoa):
                programs["cocoa"] = detector.version
            else:
                _warn_of_notes(detector.notes)
    return programs


def _warn_of_notes(notes: Iterable[str]) -> None:
    for note in notes:
        log.warning("%s", note)


def run_key(
    plan: Plan, sources: Sequence[SourceRecord], events_of_source: Sequence[int], programs: dict[str, str]
) -> str:
    """Digest of all that determines the arrays of a run."""
    content = {
        "select": plan.card.select.model_dump(mode="json"),
        "jets": plan.card.jets.model_dump(mode="json"),
        "sources": [
            (source.sha256, sorted((i, str(label)) for i, label in source.labels.items())) for source in plan.sources
        ],
        "views": [
            (
                *view.place,
                view.generator.name,
                view.generator.lines,
                view.slice_events,
                view.detector.identity if view.detector else None,
            )
            for view in plan.views
        ],
        "decay": plan.card.decay,
        "weights": plan.weight_names,
        "seed": plan.seed,
        "n_events": list(events_of_source),
        "bad_events": [record.bad_events for record in sources],
        "schema_version": schema.SCHEMA_VERSION,
        "versions": identifying_versions() | programs,
    }
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
