"""The main job: plan a run, make its chunks in parallel, join them to a pair file."""

import hashlib
import json
import logging
import os
import shutil
import signal
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from multiprocessing import active_children, connection, get_context, parent_process
from pathlib import Path
from threading import Thread

from resim import schema
from resim.commandline import refuse_existing
from resim.config import GenerationCard, load_card
from resim.errors import InputError
from resim.hard_scatter.reading import event_blocks, survey
from resim.parts import Parts
from resim.pipeline import NOT_GENERATED, Chunk, ChunkResult, Plan, SourcePlan, process
from resim.progress import ProgressReport
from resim.provenance import Provenance, SourceRecord, ViewCounts, git_state, utc_now, versions
from resim.reader import PairFile
from resim.views import plan_views
from resim.writer import PairWriter

log = logging.getLogger(__name__)

CHUNKS_IN_FLIGHT_PER_WORKER = 3
"""Chunks submitted ahead: enough to keep workers busy, few enough to keep memory constant."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to run, as opposed to what to make: `resim generate`'s options.

    Attributes:
        n_events: events to read per source, None for all.
        seed: the run's seed.
        workers: number of processes.
        chunk_size: events a chunk.
        resume: go on with an unfinished run; a finished one is left as it is.
        force: replace an existing output.
        quiet: no progress report.
    """

    n_events: int | None = None
    seed: int = 1
    workers: int = 1
    chunk_size: int = 100
    resume: bool = False
    force: bool = False
    quiet: bool = False

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            InputError: an option is out of range.
        """
        limits = {"--n-events": self.n_events, "--workers": self.workers, "--chunk-size": self.chunk_size}
        for name, value in limits.items():
            if value is not None and not 1 <= value <= sys.maxsize:
                raise InputError(f"{name} {value}: must be at least 1 and at most {sys.maxsize}")
        if not 0 <= self.seed < 2**63:
            raise InputError(f"--seed {self.seed}: must be in 0 ... 2**63 - 1")
        if self.resume and self.force:
            raise InputError("--resume and --force exclude each other; choose one")


def generate(card_path: Path, output: Path, options: Options) -> Provenance:
    """Make a pair file from a generation card.

    Chunks that are finished are kept in `OUTPUT.parts` until the output is complete, so nothing is lost by an
    interruption; the output appears under its name only when it is whole.

    Raises:
        InputError: bad card, bad LHE file, or an output that exists already.
    """
    card = load_card(card_path)
    refuse_existing(output, options.force or options.resume)
    plan, sources = make_plan(card, options)
    key = run_key(plan, sources, options)
    with Parts(output, f"{key}/{options.chunk_size}") as parts:
        if options.resume and output.exists() and not parts.unfinished():
            return _finished_before(output, key)
        refuse_existing(output, options.force or options.resume)  # again: now the output is locked
        parts.prepare(options.resume, options.force)
        n_chunks = _make_chunks(plan, sources, parts, options)
        _require_space(parts, output)
        provenance = _provenance(plan, sources, options, key)
        provenance = _join(plan, provenance, (parts.load(number) for number in range(n_chunks)), output)
        parts.remove()
    return provenance


def _finished_before(output: Path, key: str) -> Provenance:
    with PairFile(output) as file:
        provenance = file.provenance
    if provenance.run_key != key:
        raise InputError(
            f"{output}: made with another card, seed, number of events or version; --force to replace it,"
            " or choose another output"
        )
    log.info("%s: finished before, left as it is", output)
    return provenance


def _require_space(parts: Parts, output: Path) -> None:
    """HDF5 does not survive a full disk, so the space is asked for before."""
    needed, free = parts.size(), shutil.disk_usage(output.absolute().parent).free
    if free < needed:
        raise InputError(
            f"{output}: may need {needed / 1e6:.1f} MB, {free / 1e6:.1f} MB are free; finished chunks are kept:"
            " make room and run again with --resume"
        )


def make_plan(card: GenerationCard, options: Options) -> tuple[Plan, list[SourceRecord]]:
    """Read every source once, check it, and fix what a run will do."""
    plans, records = [], []
    for source in card.sources:
        found = survey(source.lhe, options.n_events)
        if not set(source.rows) & found.pdg_ids:
            raise InputError(
                f"{source.lhe}: no particle with |PDG id| {sorted(source.rows)} among its outgoing particles and"
                f" resonances ({sorted(found.pdg_ids)}); correct `rows` in the card or choose another file"
            )
        plans.append(SourcePlan(source.lhe, found.sha256, found.beams, source.rows))
        records.append(
            SourceRecord(
                lhe=str(source.lhe),
                sha256=found.sha256,
                events_in_file=found.n_events,
                generator=found.generator,
            )
        )
    return Plan(card, options.seed, tuple(plans), plan_views(card)), records


def run_key(plan: Plan, sources: list[SourceRecord], options: Options) -> str:
    """Digest of all that determines the chunks of a run."""
    content = {
        "select": plan.card.select.model_dump(mode="json"),
        "jets": plan.card.jets.model_dump(mode="json"),
        "sources": [(source.sha256, sorted(source.labels.items())) for source in plan.sources],
        "views": [(view.name, view.parent, view.freeze, view.settings) for view in plan.views],
        "seed": options.seed,
        "n_events": _events_to_read(sources, options),
        "schema_version": schema.SCHEMA_VERSION,
        "versions": versions(),
    }
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _events_to_read(sources: list[SourceRecord], options: Options) -> list[int]:
    return [min(source.events_in_file, options.n_events or source.events_in_file) for source in sources]


def _make_chunks(plan: Plan, sources: list[SourceRecord], parts: Parts, options: Options) -> int:
    """Make and keep every chunk that is not finished yet; returns the number of chunks of the run."""
    numbers: list[int] = []
    with ProgressReport("generate", sum(_events_to_read(sources, options)), "events", options.quiet) as progress:

        def missing() -> Iterator[Chunk]:
            for chunk in chunks(plan, options):
                numbers.append(chunk.number)
                if chunk.number in parts:
                    progress.advance(len(chunk.events), skipped=True)
                else:
                    yield chunk

        try:
            for chunk, result in _results(plan, missing(), options.workers):
                parts.save(chunk.number, result)
                progress.advance(len(chunk.events))
        except KeyboardInterrupt:
            kept = f"{len(parts)} finished chunks are kept in {parts.folder}; run again with --resume"
            raise KeyboardInterrupt(f"interrupted; {kept}" if len(parts) else "interrupted") from None
    return len(numbers)


def chunks(plan: Plan, options: Options) -> Iterator[Chunk]:
    """The run cut into chunks, read lazily."""
    number = 0
    for source, source_plan in enumerate(plan.sources):
        events = event_blocks(source_plan.path, options.n_events)
        while batch := tuple(islice(events, options.chunk_size)):
            yield Chunk(number, source, batch)
            number += 1


def _results(plan: Plan, todo: Iterator[Chunk], workers: int) -> Iterator[tuple[Chunk, ChunkResult]]:
    """Process chunks here or in worker processes, a bounded number at a time, in the order of completion."""
    if workers == 1:
        yield from ((chunk, process(plan, chunk)) for chunk in todo)
        return
    others = set(active_children())
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_attend_to_parent) as pool:
        try:
            yield from _submit(pool, plan, todo, workers * CHUNKS_IN_FLIGHT_PER_WORKER)
        except BrokenProcessPool as error:
            raise InputError(
                "a worker process died (killed, or out of memory); finished chunks are kept: run again with --resume,"
                " with a smaller --workers or --chunk-size if memory was short"
            ) from error
        finally:  # nothing is left to do, or nobody will want it any more
            for process_ in set(active_children()) - others:
                process_.terminate()


def _submit(
    pool: ProcessPoolExecutor, plan: Plan, todo: Iterator[Chunk], n_in_flight: int
) -> Iterator[tuple[Chunk, ChunkResult]]:
    pending: dict[Future[ChunkResult], Chunk] = {}
    while True:
        for chunk in islice(todo, n_in_flight - len(pending)):
            pending[pool.submit(process, plan, chunk)] = chunk
        if not pending:
            return
        for future in wait(pending, return_when=FIRST_COMPLETED).done:
            yield pending.pop(future), future.result()


def _attend_to_parent() -> None:
    """In a worker: leave Ctrl-C to the parent, and do not outlive it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        Thread(target=_exit_after, args=[parent.sentinel], daemon=True).start()


def _exit_after(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def _provenance(plan: Plan, sources: list[SourceRecord], options: Options, key: str) -> Provenance:
    commit, dirty = git_state()
    return Provenance(
        card=plan.card.model_dump(mode="json", by_alias=True),
        run_key=key,
        seed=options.seed,
        n_events=options.n_events,
        sources=sources,
        views={view.name: ViewCounts() for view in plan.views},
        versions=versions(),
        commit=commit,
        dirty=dirty,
        created=utc_now(),
        seconds=0.0,
        workers=options.workers,
    )


def _join(plan: Plan, provenance: Provenance, results: Iterable[ChunkResult], output: Path) -> Provenance:
    """Write the chunks in order to one file; returns the provenance with all counts."""
    records = [view.record() for view in plan.views]
    with PairWriter(output, records, plan.labels, [source.sha256 for source in plan.sources]) as writer:
        for result in results:
            writer.append(result.block)
            provenance = provenance.counting(result.source, result.source_counts, result.view_counts, result.seconds)
        _warn_of_losses(provenance)
        writer.finish(provenance.model_copy(update={"created": utc_now()}))
    return provenance


def _warn_of_losses(provenance: Provenance) -> None:
    for source in provenance.sources:
        counts = source.counts
        if counts.rows == 0:
            lost = f"none of {counts.partons} partons passes the selection {counts.rejected}"
            log.warning("%s: %s", source.lhe, lost)
    for view, view_counts in provenance.views.items():
        if refused := view_counts.lost.get(NOT_GENERATED):
            total = view_counts.valid + sum(view_counts.lost.values())
            log.warning("view %s: Pythia gave up the events of %d of %d rows", view, refused, total)
