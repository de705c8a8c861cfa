"""What `jetssl finetune` does: all fits of all modes, side by side, those that are done never again; then records."""

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from pydantic import BaseModel, ConfigDict
from torch import nn

from jetssl.common.threads import torch_threads
from jetssl.config.evaluation import ENCODER_RATE, FineTuneCard, HeadName, Mode
from jetssl.data.features import FEATURE_SETS
from jetssl.data.table import load_pairs
from jetssl.data.weights import AUTO, NONE
from jetssl.evaluation.classifier import Projected, Rates
from jetssl.evaluation.embedding_cache import checkpoint_digest, run_vectors
from jetssl.evaluation.fit_pool import run_fits
from jetssl.evaluation.fits import (
    BASELINES,
    HEAD_RATE,
    Bench,
    Fit,
    label_draw,
    method_of,
    read_scores,
    unfinished_fits,
)
from jetssl.evaluation.results import Origin, Result, write_records, write_results
from jetssl.evaluation.summary import Comparison, roc_curves, summarize
from jetssl.evaluation.task import make_task, warn_of_other_identities
from jetssl.methods.optimizers import layer_depths
from jetssl.models.checkpoints import load_encoder, load_projector
from jetssl.training.run_folder import RunFolder
from resim.common.atomic_write import entries, write_text
from resim.common.errors import InputError
from resim.common.progress import ProgressReport

FITS_FILE: Final = "finetune.json"
"""In the folder of the fits: what they answer."""


@dataclass(frozen=True, slots=True)
class FineTuning:
    """Arguments of `jetssl finetune`."""

    run: Path
    output: Path
    card: FineTuneCard
    jobs: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))

    @property
    def command(self) -> str:
        """The command line that asks for this."""
        return shlex.join(["jetssl", "finetune", str(self.run), "-o", str(self.output), *self.card.words])

    def fits(self, count: int | None, mode: Mode) -> list[Fit]:
        """Those of a number of labels and a mode."""
        return [Fit(mode, count, draw) for draw in range(self.card.seeds)]


class _Identity(BaseModel):
    """What two calls must share so that one takes over the fits of the other."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    checkpoint: str
    """SHA-256"""
    files: tuple[str, ...]
    """digests of the pair files"""
    task: str
    view: str
    head: HeadName
    seed: int
    steps: int
    weights: str = AUTO
    """of the events"""
    encoder_rate: float = ENCODER_RATE
    layer_decay: float = 1.0


def finetune(request: FineTuning, *, quiet: bool = False) -> list[Result]:
    """Fine-tune, and write `results.json` beside the folders of the fits.

    Raises:
        InputError: no usable run, data or task, fewer labelled rows than asked for, or the output holds other fits.
    """
    bench = _bench(request)
    counts, modes = request.card.label_counts, request.card.mode
    fits = [fit for count in counts for mode in modes for fit in request.fits(count, mode)]
    for fit in fits:
        label_draw(bench.task, fit, request.card.seed)
    _claim(request, bench)
    missing = unfinished_fits(request.output, fits)
    with ProgressReport("finetune", len(missing), "fits", quiet) as progress:
        run_fits(partial(_bench, request), bench, missing, request.jobs, progress)
    results = [record for count in counts for record in _records(request, bench, count)]
    comparisons = [_comparison(request, bench, count, [mode]) for count in counts for mode in modes]
    curves = [curve for comparison in comparisons for curve in roc_curves(comparison)]
    write_records(RunFolder(request.output).roc, curves)
    write_results(RunFolder(request.output).results, results)
    return results


def _bench(request: FineTuning) -> Bench:
    run, asked = RunFolder(request.run), request.card
    card = run.load_card()
    run.load_provenance()
    loaded = load_encoder(run.best, card)
    if asked.layer_decay < 1:
        layer_depths(Projected(loaded.encoder, nn.Identity()))  # refused now, not by a fit
    if asked.head != "linear":
        load_projector(run.best)  # as well
    data = loaded.card.data
    table = load_pairs(asked.data or data.files, columns=FEATURE_SETS[data.feature_set].columns, weights=data.weights)
    warn_of_other_identities(run, table.rows)
    task = make_task(
        table.rows,
        data.fractions,
        asked.signal,
        asked.background,
        asked.view,
        classes=asked.class_names,
        unweighted=asked.unweighted,
    )
    with torch_threads(loaded.card.training.threads):
        vectors = run_vectors(run, loaded, table, task.view)
    rates = Rates(asked.encoder_rate, HEAD_RATE, asked.layer_decay)
    return Bench(run, loaded, table, task, vectors, request.output, asked.seed, asked.steps, asked.head, rates)


def _claim(request: FineTuning, bench: Bench) -> None:
    """Refuse a folder with fits of another question."""
    files = tuple(record.digest for record in bench.table.rows.files)
    view = bench.table.rows.views[bench.task.view]
    identity = _Identity(
        checkpoint=checkpoint_digest(bench.run),
        files=files,
        task=bench.task.name,
        view=view,
        head=request.card.head,
        seed=request.card.seed,
        steps=request.card.steps,
        encoder_rate=request.card.encoder_rate,
        layer_decay=request.card.layer_decay,
        weights=NONE if request.card.unweighted else bench.loaded.card.data.weights,
    ).model_dump_json(indent=1, exclude_defaults=True)
    path = request.output / FITS_FILE
    if not path.exists():
        if entries(request.output):
            raise InputError(f"{request.output}: exists and holds no fine-tuning; give another -o")
        write_text(path, identity)
    elif path.read_bytes() != identity.encode():
        raise InputError(
            f"{request.output}: holds fits of another checkpoint, file, task, head, seed, rates or weights; give"
            " another -o"
        )


def _records(request: FineTuning, bench: Bench, count: int | None) -> list[Result]:
    """Metrics of each mode, and of each mode with a pre-trained encoder the paired difference to those without."""
    trained_before = [mode for mode in request.card.mode if mode not in BASELINES]
    without = [mode for mode in request.card.mode if mode in BASELINES]
    results: list[Result] = []
    for mode in request.card.mode:
        results += summarize(_comparison(request, bench, count, [mode]))
    for mode in trained_before:
        if without:
            compared = summarize(_comparison(request, bench, count, [mode, *without]))
            results += [record for record in compared if record.metric.startswith("auc_minus_")]
    return results


def _comparison(request: FineTuning, bench: Bench, count: int | None, modes: Sequence[Mode]) -> Comparison:
    encoder = bench.loaded.card.encoder.name
    fits = [request.fits(count, mode) for mode in modes]
    return Comparison(
        task=bench.task,
        view=bench.table.rows.views[bench.task.view],
        names=[(BASELINES.get(mode), encoder) for mode in modes],
        scores=[np.stack([read_scores(request.output, fit) for fit in of_mode]) for of_mode in fits],
        n_labels=len(label_draw(bench.task, fits[0][0], request.card.seed)),
        all_labels=count is None,
        origin=Origin(request.card.seed, request.command),
        method=method_of(modes[0], request.card.head),
    )
