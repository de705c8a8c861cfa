"""One fine-tuning of one mode, number of labels and draw; each finished one is a run folder with its scores.

Letters: R rows, T test jets, D model width.
"""

import io
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from jetssl.common.seeds import Stream, generator, torch_seed
from jetssl.data.augmentations import augment
from jetssl.data.jets import gather_jets
from jetssl.data.table import PairTable
from jetssl.data.tensors import JetBatch, to_tensors
from jetssl.evaluation.classifier import Classifier, Rates, head_loss, linear_probe, logits_of, train, with_adapters
from jetssl.evaluation.embedding import embed
from jetssl.evaluation.results import Baseline
from jetssl.evaluation.task import Task, draw_labels, draw_validation
from jetssl.evaluation.trained import HEAD_FILE, HeadRecord
from jetssl.models import checkpoints
from jetssl.models.builder import build_encoder
from jetssl.models.checkpoints import LoadedEncoder
from jetssl.models.encoder import Encoder
from jetssl.models.normalization import Normalized
from jetssl.training.run_folder import RunFolder
from resim.common.arrays import Floats32, Integers
from resim.common.atomic_write import write_bytes, write_text

Mode = Literal["frozen", "full", "lora", "scratch", "scratch-views"]
BASELINES: dict[Mode, Baseline] = {"scratch": "scratch", "scratch-views": "scratch_views"}
RATES: dict[Mode, Rates] = {
    "full": Rates(1e-4, 1e-3),
    "lora": Rates(1e-3, 1e-3),
    "scratch": Rates(1e-3, 1e-3),
    "scratch-views": Rates(1e-3, 1e-3),
}
"""A rate of 1e-3 for a pre-trained encoder destroys what it has learned before the head follows."""
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

    def fit(self, fit: Fit) -> None:
        """Fine-tune, and write the run folder; the scores are its last file."""
        labelled = label_draw(self.task, fit, self.seed)
        validation = draw_validation(self.task, len(labelled), self.seed, fit.draw)
        encoder, head = self._trained(fit, labelled, validation)
        self._write(fit, encoder, head)

    def _trained(self, fit: Fit, labelled: Integers, validation: Integers) -> tuple[Encoder, nn.Linear]:
        signal = self.task.is_signal
        probed = linear_probe(self.vectors[labelled], signal[labelled], self.vectors[validation], signal[validation])
        encoder = deepcopy(self.loaded.encoder)
        if fit.mode == "frozen":
            return encoder, probed
        seed = torch_seed(self.seed, Stream.FINE_TUNING, fit.draw)
        model = self._start(fit.mode, encoder, probed, seed)
        core = cast("Encoder", cast("Any", model.encoder).base_model.model if fit.mode == "lora" else model.encoder)

        def loss() -> float:
            return head_loss(model.head, self._embed(core, validation), signal[validation])

        train(model, self._batches(fit, labelled), self.steps, RATES[fit.mode], loss)
        if fit.mode == "lora":
            core = cast("Any", model.encoder).merge_and_unload()
        return core, model.head

    def _start(self, mode: Mode, encoder: Encoder, probed: nn.Linear, seed: int) -> Classifier:
        if mode == "full":
            return Classifier(encoder, probed)
        if mode == "lora":
            return Classifier(with_adapters(encoder, seed), probed)
        fresh = build_encoder(self.loaded.card, seed)
        if isinstance(fresh, Normalized):
            fresh.adopt(encoder)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return Classifier(fresh, nn.Linear(fresh.width, 1))

    def _batches(self, fit: Fit, labelled: Integers) -> Iterator[tuple[JetBatch, torch.Tensor]]:
        """Labelled rows in a fresh order every epoch; augmented, if the pre-training did that."""
        rng = generator(self.seed, Stream.FINE_TUNING, fit.draw)
        views = self.loaded.card.views
        valid = self.table.rows.valid
        while True:
            order = rng.permutation(labelled)
            for rows in np.array_split(order, -(-len(order) // BATCH_SIZE)):
                view = np.full(len(rows), self.task.view)
                if fit.mode == "scratch-views":
                    view = np.argmax(rng.random((len(valid), len(rows))) * valid[:, rows], axis=0)
                jets = gather_jets(self.table, view, rows)
                if views.source != "resim":
                    jets = augment(jets, views.augmentations, rng)
                labels = torch.from_numpy(self.task.is_signal[rows].astype(np.float32))
                yield to_tensors(jets, self.loaded.card.data.feature_set), labels

    def _embed(self, encoder: Encoder, rows: Integers) -> Floats32:
        view = np.full(len(rows), self.task.view)
        return embed(encoder, self.table, view, rows, self.loaded.card.data.feature_set)

    def _write(self, fit: Fit, encoder: Encoder, head: nn.Linear) -> None:
        card, run = self.loaded.card, RunFolder(self.output / fit.name)
        state = {f"encoder.{name}": value for name, value in encoder.state_dict().items()}
        state |= {f"head.{name}": value for name, value in head.state_dict().items()}
        content = io.BytesIO()
        torch.save(
            {
                "state_dict": state,
                "epoch": self.loaded.epoch - 1,
                checkpoints.KEY: checkpoints.description(card, self.loaded.classes),
            },
            content,
        )
        write_bytes(run.best, content.getbuffer())
        write_text(run.card, card.to_yaml())
        write_text(run.path / HEAD_FILE, self._head_record(fit).model_dump_json(indent=1))
        write_text(run.provenance, self.run.provenance.read_text(encoding="utf-8"))
        scores = io.BytesIO()
        vectors = self.vectors[self.task.test] if fit.mode == "frozen" else self._embed(encoder, self.task.test)
        np.save(scores, logits_of(head, vectors))
        write_bytes(scores_file(self.output, fit), scores.getbuffer())

    def _head_record(self, fit: Fit) -> HeadRecord:
        return HeadRecord(
            classes=tuple("+".join(side) for side in (self.task.signal, self.task.background)),
            method=method_of(fit.mode),
            baseline=BASELINES.get(fit.mode),
            n_labels=len(label_draw(self.task, fit, self.seed)),
            all_labels=fit.n_labels is None,
        )


def method_of(mode: Mode) -> str:
    """Name in the records."""
    return f"finetune_{mode.replace('-', '_')}"


def label_draw(task: Task, fit: Fit, seed: int) -> Integers:
    """Labelled rows: the same for every mode, and those of `jetssl probe` with this seed."""
    if fit.n_labels is None:
        return task.train
    return draw_labels(task, fit.n_labels, generator(seed, Stream.LABELS, fit.n_labels, fit.draw))


def scores_file(output: Path, fit: Fit) -> Path:
    """Logits of the test jets, float64 `(T,)`; there when the fit is done."""
    return output / fit.name / "scores.npy"


def read_scores(output: Path, fit: Fit) -> npt.NDArray[np.float64]:
    """Logits of the test jets of a finished fit."""
    return np.asarray(np.load(scores_file(output, fit)), np.float64)
