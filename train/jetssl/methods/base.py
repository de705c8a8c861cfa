"""What all training methods share: an encoder, AdamW, checkpoints, a probe after every epoch, and a finite loss."""

import math
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, NamedTuple

import lightning
import torch
from torch import nn

from jetssl.common.collectives import gather
from jetssl.common.precision import at_least_single
from jetssl.common.seeds import Stream, torch_seed
from jetssl.config.card import Card
from jetssl.config.objectives import ObjectiveSection
from jetssl.data.tensors import PairBatch
from jetssl.methods.compilation import compile_in_place
from jetssl.methods.monitors import spread
from jetssl.methods.online_probe import online_probe
from jetssl.methods.optimizers import AdamW, parameter_groups
from jetssl.methods.schedules import SCHEDULES
from jetssl.models import checkpoints
from jetssl.models.builder import build_encoder
from resim.common.errors import InputError

ON_THE_BAR: Final = ("pair_auc", "pair_auc_in_bin")
"""Monitors that the progress bar shows beside the loss and the probe."""


class _Step(NamedTuple):
    """What the end of a training step has to know of its beginning."""

    batch_index: int
    rows: int
    values: Mapping[str, torch.Tensor]
    """scalars by name"""
    buffers: list[torch.Tensor]
    """copies: running statistics, which a step that is left out must not change"""


class Method(lightning.LightningModule, ABC):
    """Base of all methods.

    Args:
        card: the whole training card; it travels in every checkpoint.
        total_steps: optimizer steps of the whole training.
        classes: class names in the order of `PairBatch.labels`.

    Attributes:
        section: of a method that an installed package adds: the model of its section of the card
            (`jetssl.config.plugins`).
    """

    section: ClassVar[type[ObjectiveSection]]

    def __init__(self, card: Card, total_steps: int, classes: tuple[str, ...]) -> None:
        super().__init__()
        self.card, self.total_steps, self.classes = card, total_steps, classes
        self.encoder = build_encoder(card, torch_seed(card.training.seed, Stream.WEIGHTS, 0))
        if card.training.compile:
            compile_in_place(self.encoder)
        self._held_out: defaultdict[str, list[torch.Tensor]] = defaultdict(list)
        self._step = _Step(0, 1, {}, [])
        self.wrong_steps = 0

    def seeded(self, build: Callable[[], nn.Module]) -> nn.Module:
        """A module beside the encoder, with initial weights from the seed of the card."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(torch_seed(self.card.training.seed, Stream.WEIGHTS, 1))
            return build()

    def seed_of_step(self, stream: Stream) -> int:
        """Seed of what all processes draw alike, another one in every training step, the same in all validations."""
        address = (1, self.global_step) if self.training else (0,)
        return torch_seed(self.card.training.seed, stream, *address)

    @abstractmethod
    def losses(self, batch: PairBatch) -> Mapping[str, torch.Tensor]:
        """Scalars of a batch by name, `loss` among them."""

    @abstractmethod
    def validate(self, batch: PairBatch) -> Mapping[str, torch.Tensor]:
        """Scalars of a held-out batch by name, `loss` among them."""

    def training_step(self, batch: PairBatch, batch_index: int) -> torch.Tensor:
        """Loss of a batch, a scalar; dropout has the random stream at (seed, epoch, batch, process)."""
        address = (self.current_epoch, batch_index, self.global_rank)
        buffers = [buffer.clone() for buffer in self.buffers()]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(torch_seed(self.card.training.seed, Stream.DROPOUT, *address))
            values = self.losses(batch)
        scalars = {name: value.detach() for name, value in values.items()}
        self._step = _Step(batch_index, len(batch.rows), scalars, buffers)
        return values["loss"]

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,  # noqa: ARG002
    ) -> None:
        """Limit the norm of the gradient, and log the step; one whose gradient is not finite changes nothing.

        All processes have the same gradient here, so they agree.

        Raises:
            InputError: too many such steps in a row.
        """
        weights = [weights for group in optimizer.param_groups for weights in group["params"]]
        norm = nn.utils.clip_grad_norm_(weights, math.inf if gradient_clip_val is None else gradient_clip_val)
        finite, step = bool(torch.isfinite(norm)), self._step
        self.log("skipped", float(not finite), on_step=False, on_epoch=True, reduce_fx="sum", batch_size=1)
        self.wrong_steps = 0 if finite else self.wrong_steps + 1
        if finite:
            values = {**step.values, "gradient_norm": norm}
            self.log_dict(values, on_step=False, on_epoch=True, batch_size=step.rows, prog_bar=True, sync_dist=True)
            return
        optimizer.zero_grad()
        with torch.no_grad():
            for buffer, before in zip(self.buffers(), step.buffers, strict=True):
                buffer.copy_(before)
        self._refuse_more_wrong_steps(step.batch_index)

    def _refuse_more_wrong_steps(self, batch_index: int) -> None:
        settings = self.card.training
        if self.wrong_steps >= settings.wrong_steps:
            raise InputError(
                f"the gradient was not finite in {self.wrong_steps} steps in a row, the last one of batch"
                f" {batch_index + 1} in epoch {self.current_epoch + 1}; lower training.learning_rate"
                f" ({settings.learning_rate:g})"
            )

    def keep(self, **of_batch: torch.Tensor) -> None:
        """Keep what the monitors want to know of a held-out batch, rows of all processes, until the epoch ends."""
        for name, values in of_batch.items():
            self._held_out[name].append(values)

    def encode_held_out(self, batch: PairBatch) -> torch.Tensor:
        """Jet vectors `(B, D)` of a held-out batch; those of the first views are kept, with the labels."""
        vectors = at_least_single(self.encoder(*batch.jets).jet)
        self.keep(vectors=gather(vectors[: len(batch.rows)]), labels=gather(batch.labels))
        return vectors

    def monitors(self, held_out: Mapping[str, torch.Tensor]) -> Mapping[str, torch.Tensor]:
        """Scalars by name from everything that was kept of all held-out rows."""
        return spread(held_out["vectors"])._asdict()

    def on_validation_epoch_start(self) -> None:
        """Drop what an interrupted epoch has kept."""
        self._held_out.clear()

    def on_validation_epoch_end(self) -> None:
        """Log the monitors, and a probe on the jet vectors."""
        held_out = {name: torch.cat(batches) for name, batches in self._held_out.items()}
        self._held_out.clear()
        self.log("probe_auc", online_probe(held_out["vectors"], held_out["labels"]), prog_bar=True)
        for name, value in self.monitors(held_out).items():
            self.log(name, value, prog_bar=name in ON_THE_BAR)

    def validation_step(self, batch: PairBatch, batch_index: int) -> None:  # noqa: ARG002
        """Log the loss of a held-out batch."""
        values = dict(self.validate(batch))
        values["validation_loss"] = values.pop("loss")
        self.log_dict(values, batch_size=len(batch.rows), sync_dist=True)

    def configure_optimizers(self) -> Any:
        """AdamW; the rates are set anew after every step.

        Raises:
            InputError: the card gives a rate to what is not there.
        """
        settings = self.card.training
        optimizer = AdamW(parameter_groups(self, settings), weight_decay=settings.weight_decay, fused=True)
        factor = SCHEDULES[settings.schedule]
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: factor(step, self.total_steps, settings.warmup)
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the resolved card and the class names as text, so that the file loads with `weights_only=True`."""
        checkpoint[checkpoints.KEY] = checkpoints.description(self.card, self.classes)
