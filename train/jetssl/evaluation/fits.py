"""One fine-tuning of one mode, number of labels and draw; each finished one is a run folder with its scores.

Letters: R rows, T test jets, C classes, D model width.
"""

import logging
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from jetssl.common.sealed import BrokenSealError, read_array, write_array
from jetssl.common.seeds import Stream, generator, torch_seed
from jetssl.config.data import ViewsCard
from jetssl.config.evaluation import ENCODER_RATE, HeadName, Mode
from jetssl.data.augmentations import augment
from jetssl.data.jets import gather_jets
from jetssl.data.table import PairTable
from jetssl.data.tensors import to_tensors
from jetssl.data.views import choices
from jetssl.evaluation.classifier import Batches, Classifier, Projected, Rates, targets_of, train, with_adapters
from jetssl.evaluation.embedding import embed
from jetssl.evaluation.heads import Head, build_head, fit_linear, loss_of, outputs_of
from jetssl.evaluation.results import Baseline
from jetssl.evaluation.task import Task, draw_labels, draw_validation
from jetssl.evaluation.trained import HEAD_FILE, HeadRecord
from jetssl.models import checkpoints
from jetssl.models.builder import build_encoder
from jetssl.models.checkpoints import LoadedEncoder, load_projector, write_checkpoint
from jetssl.models.encoder import Encoder
from jetssl.models.normalization import Normalized
from jetssl.training.run_folder import RunFolder
from resim.common.arrays import Floats32, Integers
from resim.common.atomic_write import write_text

log = logging.getLogger(__name__)

BASELINES: dict[Mode, Baseline] = {"scratch": "scratch", "scratch-views": "scratch_views"}
HEAD_RATE = 1e-3
FRESH_RATE = 1e-3
"""Of fresh encoders and adapters; with few labels a pre-trained encoder forgets at it before the head follows."""
RATES = Rates(ENCODER_RATE, HEAD_RATE)
"""Of mode `full`."""
BATCH_SIZE = 128


@dataclass(frozen=True, slots=True)
class Fit:
    """Which fine-tuning."""

    mode: Mode
    n_labels: int | None
    """None for all"""
    draw: int
    """of the labels; also of fresh weights, adapters and batches"""

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"{self.mode}_{'all' if self.n_labels is None else self.n_labels}_{self.draw}"


@dataclass(frozen=True, slots=True)
class Bench:
    """What all fits share."""

    run: RunFolder
    loaded: LoadedEncoder
    table: PairTable
    task: Task
    vectors: Floats32
    """of the pre-trained encoder, float32 `(R, D)`; filled for the rows of the task"""
    output: Path
    seed: int
    steps: int
    head: HeadName = "linear"
    rates: Rates = RATES
    """of mode `full`, whose encoder is pre-trained"""

    def fit(self, fit: Fit) -> None:
        """Fine-tune, and write the run folder; the scores are its last file."""
        labelled = label_draw(self.task, fit, self.seed)
        validation = draw_validation(self.task, len(labelled), self.seed, fit.draw)
        encoder, head = self._trained(fit, labelled, validation)
        self._write(fit, encoder, head)

    def _trained(self, fit: Fit, labelled: Integers, validation: Integers) -> tuple[Encoder, Head]:
        seed = torch_seed(self.seed, Stream.FINE_TUNING, fit.draw)
        encoder = deepcopy(self.loaded.encoder)
        if fit.mode == "frozen":
            return encoder, self._frozen_head(fit, labelled, validation, seed)
        if fit.mode in BASELINES:
            encoder = build_encoder(self.loaded.card, seed)
            if isinstance(encoder, Normalized):
                encoder.adopt(self.loaded.encoder)
            head = self._fresh_head(seed)
        else:
            head = self._frozen_head(fit, labelled, validation, seed)
        adapted = with_adapters(encoder, seed) if fit.mode == "lora" else None
        model = Classifier(Projected(adapted or encoder, head.projection), head.output)
        core = cast("Encoder", cast("Any", adapted).base_model.model) if adapted else encoder

        def loss() -> float:
            vectors, classes = self._embed(core, validation), self.task.class_index[validation]
            return loss_of(head, vectors, classes, self.task.sizes(validation))

        rates = self.rates if fit.mode == "full" else Rates(FRESH_RATE, HEAD_RATE)
        train(model, self._batches(fit, labelled), self.steps, rates, loss)
        return cast("Any", adapted).merge_and_unload() if adapted else encoder, head

    def _fresh_head(self, seed: int) -> Head:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return build_head(self.head, self.loaded.encoder.width, self.loaded.card.projector, len(self.task.groups))

    def _frozen_head(self, fit: Fit, labelled: Integers, validation: Integers, seed: int) -> Head:
        """The head on the vectors of the pre-trained encoder and projector, which stay."""
        head, classes = self._fresh_head(seed), self.task.class_index
        if list(head.projection.parameters()):
            cast("nn.Sequential", head.projection)[0].load_state_dict(load_projector(self.run.best).state_dict())
        with torch.inference_mode():
            projected = head.eval().projection(torch.from_numpy(self.vectors)).numpy()
        if isinstance(head.output, nn.Linear):
            sizes = self.task.sizes_of(labelled, validation)
            head.output = fit_linear(
                projected[labelled], classes[labelled], projected[validation], classes[validation], sizes
            )
            return head

        def loss() -> float:
            return loss_of(head.output, projected[validation], classes[validation], self.task.sizes(validation))

        batches = (
            ((torch.from_numpy(projected[rows]),), targets_of(classes[rows], self.task.sizes(rows)))
            for rows in self._orders(fit, labelled)
        )
        train(Classifier(nn.Identity(), head.output), batches, self.steps, Rates(0.0, HEAD_RATE), loss)
        return head

    def _orders(self, fit: Fit, labelled: Integers) -> Iterator[Integers]:
        """Rows of each batch: the labelled ones in a fresh order every epoch."""
        rng = generator(self.seed, Stream.FINE_TUNING, fit.draw, 0)
        while True:
            order = rng.permutation(labelled)
            yield from np.array_split(order, -(-len(order) // BATCH_SIZE))

    def _batches(self, fit: Fit, labelled: Integers) -> Batches:
        """Labelled jets, augmented if the pre-training did that."""
        rng = generator(self.seed, Stream.FINE_TUNING, fit.draw, 1)
        views = self.loaded.card.views
        valid = self.table.rows.valid
        drawn = choices(self.table.rows.views, ViewsCard(source="augment"), 1)
        for rows in self._orders(fit, labelled):
            view = np.full(len(rows), self.task.view)
            if fit.mode == "scratch-views":
                view = drawn.draw(valid[:, rows], rng)[0]
            jets = gather_jets(self.table, view, rows)
            if views.source != "resim":
                jets = augment(jets, views.augmentations, rng)
            targets = targets_of(self.task.class_index[rows], self.task.sizes(rows))
            yield to_tensors(jets, self.loaded.card.data.feature_set), targets

    def _embed(self, encoder: Encoder, rows: Integers) -> Floats32:
        view = np.full(len(rows), self.task.view)
        return embed(encoder, self.table, view, rows, self.loaded.card.data.feature_set)

    def _write(self, fit: Fit, encoder: Encoder, head: Head) -> None:
        card, run = self.loaded.card, RunFolder(self.output / fit.name)
        state = {f"encoder.{name}": value for name, value in encoder.state_dict().items()}
        state |= {f"head.{name}": value for name, value in head.state_dict().items()}
        described = checkpoints.description(card, self.loaded.classes)
        content = {"state_dict": state, "epoch": self.loaded.epoch - 1, checkpoints.KEY: described}
        write_checkpoint(run.best, content)
        write_text(run.card, card.to_yaml())
        write_text(run.path / HEAD_FILE, self._head_record(fit).model_dump_json(indent=1))
        write_text(run.provenance, self.run.provenance.read_text(encoding="utf-8"))
        vectors = self.vectors[self.task.test] if fit.mode == "frozen" else self._embed(encoder, self.task.test)
        write_array(scores_file(self.output, fit), outputs_of(head, vectors))

    def _head_record(self, fit: Fit) -> HeadRecord:
        return HeadRecord(
            classes=self.task.classes,
            method=method_of(fit.mode, self.head),
            baseline=BASELINES.get(fit.mode),
            n_labels=len(label_draw(self.task, fit, self.seed)),
            all_labels=fit.n_labels is None,
            head=self.head,
        )


def method_of(mode: Mode, head: HeadName) -> str:
    """Name in the records; the linear head is not named."""
    parts = ["finetune", mode] if head == "linear" else ["finetune", mode, head]
    return "_".join(parts).replace("-", "_")


def label_draw(task: Task, fit: Fit, seed: int) -> Integers:
    """Labelled rows: the same for every mode, and those of `jetssl probe` with this seed."""
    if fit.n_labels is None:
        return task.train
    return draw_labels(task, fit.n_labels, generator(seed, Stream.LABELS, fit.n_labels, fit.draw))


def scores_file(output: Path, fit: Fit) -> Path:
    """Outputs of the head for the test jets, float64 `(T,)` or `(T, C)`; there when the fit is done."""
    return output / fit.name / "scores.npy"


def read_scores(output: Path, fit: Fit) -> npt.NDArray[np.float64]:
    """Outputs of the head for the test jets of a finished fit."""
    return np.asarray(read_array(scores_file(output, fit)), np.float64)


def unfinished_fits(output: Path, fits: Sequence[Fit]) -> list[Fit]:
    """Fits whose scores are not there; damaged ones are removed, and said."""
    return [fit for fit in fits if not _finished(scores_file(output, fit))]


def _finished(scores: Path) -> bool:
    try:
        read_array(scores)
    except BrokenSealError:
        log.warning("%s: damaged; the fit is made again", scores)
        scores.unlink()
        return False
    except OSError:
        return False
    return True
