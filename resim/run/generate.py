"""The main job: plan a run, make its chunks, join them to a pair file."""

import logging
import shutil
from collections.abc import Iterable
from pathlib import Path

from resim.card.generation_card import load_card
from resim.card.run_options import RunOptions
from resim.common.commandline import refuse_existing
from resim.common.errors import InputError
from resim.common.progress import ProgressReport
from resim.common.row_counts import LossReason, ViewCounts
from resim.common.versions import git_state, utc_now, versions
from resim.pairfile.provenance import Provenance
from resim.pairfile.reader import PairFile
from resim.pairfile.writer import PLAIN, PairWriter, Storage
from resim.run import execution
from resim.run.checkpoint import Checkpoint
from resim.run.chunks import ChunkResult
from resim.run.planning import Run, plan_run

log = logging.getLogger(__name__)


def generate(card_path: Path, output: Path, options: RunOptions) -> Provenance:
    """Make a pair file from a generation card.

    Finished chunks are kept in `OUTPUT.chunks` until the output is complete, so an interruption loses no finished
    chunk. The output appears under its name only when it is complete.

    Raises:
        InputError: bad card, bad LHE file, an output that exists already, or more failures than the card allows.
    """
    card = load_card(card_path)
    refuse_existing(output, options.force or options.resume)
    return make_pair_file(plan_run(card, options), output, options)


def make_pair_file(run: Run, output: Path, options: RunOptions, storage: Storage = PLAIN) -> Provenance:
    """Make the chunks of a planned run that are missing, and join them to the output.

    Raises:
        InputError: an output that exists already, or more failures than the card allows.
    """
    with Checkpoint(output, f"{run.key}/{run.chunk_size}/{options.shard}") as checkpoint:
        if options.resume and output.exists() and not checkpoint.unfinished():
            return _finished_before(output, run.key, options)
        refuse_existing(output, options.force or options.resume)  # again: now the output is locked
        checkpoint.prepare(options.resume, options.force)
        _make_chunks(run, checkpoint, options)
        _require_space(checkpoint, output)
        results = (checkpoint.load(spec.number) for spec in run.chunks)
        provenance = _join(run, _provenance(run, options), results, output, storage)
        checkpoint.remove()
    return provenance


def _finished_before(output: Path, key: str, options: RunOptions) -> Provenance:
    with PairFile(output) as file:
        provenance = file.provenance
    if (provenance.run_key, provenance.shard) != (key, str(options.shard)):
        raise InputError(
            f"{output}: made with another card, seed, number of events, shard or version; --force to replace it,"
            " or choose another output"
        )
    log.info("%s: finished before, left as it is", output)
    return provenance


def _require_space(checkpoint: Checkpoint, output: Path) -> None:
    """Check that the disk has room for the output, before minutes are spent on joining."""
    needed, free = checkpoint.size(), shutil.disk_usage(output.absolute().parent).free
    if free < needed:
        raise InputError(
            f"{output}: may need {needed / 1e6:.1f} MB, {free / 1e6:.1f} MB are free; finished chunks are kept:"
            " make room and run again with --resume"
        )


def _make_chunks(run: Run, checkpoint: Checkpoint, options: RunOptions) -> None:
    """Make and keep every chunk that is not finished yet."""
    length = {spec.number: len(spec.events) for spec in run.chunks}
    with ProgressReport("generate", run.n_events, "events", options.quiet) as progress:
        failures = _Failures(run)
        missing = []
        for spec in run.chunks:
            if (result := checkpoint.find(spec.number)) is None:
                missing.append(spec)
            else:
                progress.advance(len(spec.events), skipped=True)
                failures.count(result)
        try:
            for chunk, result in execution.make(run.plan, run.read(missing), options):
                checkpoint.save(chunk.number, result)
                failures.count(result)
                progress.advance(length[chunk.number])
        except KeyboardInterrupt:
            kept = f"{len(checkpoint)} finished chunks are kept in {checkpoint.folder}; run again with --resume"
            raise KeyboardInterrupt(f"interrupted; {kept}" if len(checkpoint) else "interrupted") from None


class _Failures:
    """Stops a run whose generator gives up significantly more rows than `max_failures` of the card allows."""

    def __init__(self, run: Run) -> None:
        self._allowed = run.plan.card.max_failures
        self._root = run.plan.views[0].name
        self._counts = {view.name: ViewCounts() for view in run.plan.views}

    def count(self, result: ChunkResult) -> None:
        """Add the counts of a chunk.

        Raises:
            InputError: the failures of a view are above what is expected at the limit, plus three of its standard
                deviations.
        """
        for name, counts in result.view_counts.items():
            self._counts[name] += counts
        if unlabelled := result.source_counts.rejected.get(LossReason.ROOT_NOT_GENERATED, 0):
            self._counts[self._root] += ViewCounts(lost={LossReason.NOT_GENERATED: unlabelled})
        for name, counts in self._counts.items():
            failed, expected = counts.lost.get(LossReason.NOT_GENERATED, 0), self._allowed * counts.total
            if failed > expected + 3 * expected**0.5:
                raise InputError(
                    f"view {name}: the generator gave up the events of {failed} of {counts.total} rows, max_failures"
                    f" allows {self._allowed}{_said(counts)}; look at the shower's settings, or raise max_failures"
                    " and run with --resume"
                )


def _provenance(run: Run, options: RunOptions) -> Provenance:
    commit, dirty = git_state()
    return Provenance(
        card=run.plan.card.resolved().model_dump(mode="json", by_alias=True),
        run_key=run.key,
        shard=str(options.shard),
        seed=options.seed,
        n_events=options.n_events,
        sources=list(run.sources),
        views={view.name: ViewCounts() for view in run.plan.views},
        versions=versions() | run.programs,
        commit=commit,
        dirty=dirty,
        created=utc_now(),
        seconds=0.0,
        workers=options.workers,
    )


def _join(
    run: Run, provenance: Provenance, results: Iterable[ChunkResult], output: Path, storage: Storage
) -> Provenance:
    """Write the chunks in order to one file; returns the provenance with all counts."""
    records = [view.record() for view in run.plan.views]
    sources = [source.sha256 for source in run.sources]
    jets, weights = run.plan.card.jets, run.plan.weight_names
    extras = {"vertices": jets.vertices is not None, "cells": jets.cells}
    with PairWriter(output, records, run.plan.labels, sources, weights=weights, storage=storage, **extras) as writer:
        for result in results:
            writer.append(result.block)
            provenance = provenance.counting(result.source, result.source_counts, result.view_counts, result.seconds)
        _warn_of_losses(provenance)
        writer.finish(provenance.model_copy(update={"created": utc_now()}))
    return provenance


def _warn_of_losses(provenance: Provenance) -> None:
    for source in provenance.sources:
        counts = source.counts
        if counts.rows == 0 and counts.events > 0:
            lost = f"none of {counts.partons} partons passes the selection {counts.rejected}"
            log.warning("%s: %s", source.lhe, lost)
        for sentence in source.vanished():
            log.warning("%s", sentence)
    for view, view_counts in provenance.views.items():
        if refused := view_counts.lost.get(LossReason.NOT_GENERATED):
            log.warning(
                "view %s: the generator gave up the events of %d of %d rows%s",
                *(view, refused, view_counts.total, _said(view_counts)),
            )


def _said(counts: ViewCounts) -> str:
    """What the generator said of an event that it gave up, as the end of a sentence."""
    return f" (it says: {counts.complaint})" if counts.complaint else ""
