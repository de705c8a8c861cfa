"""What all training methods share: an encoder, AdamW, checkpoints, a probe after every epoch, and a finite loss."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import lightning
import torch
from torch import nn

from jetssl import checkpoints
from jetssl.config.card import Card
from jetssl.data.tensors import PairBatch
from jetssl.gathering import gather
from jetssl.methods.online_probe import online_probe
from jetssl.models.builder import build_encoder
from jetssl.schedules import SCHEDULES
from jetssl.seeds import Stream, torch_seed
from resim.errors import InputError


class Method(lightning.LightningModule, ABC):
    """Base of all methods. Optimizer: AdamW (arXiv:1711.05101).

    Args:
        card: the whole training card; it travels in every checkpoint.
        total_steps: optimizer steps of the whole training.
        classes: class names in the order of `PairBatch.labels`.

    Attributes:
        jets_per_row: 2 if the method looks at pairs of views, 1 if at jets.
    """

    jets_per_row: ClassVar[int] = 2

    def __init__(self, card: Card, total_steps: int, classes: tuple[str, ...]) -> None:
        super().__init__()
        self.card, self.total_steps, self.classes = card, total_steps, classes
        self.encoder = build_encoder(card, torch_seed(card.training.seed, Stream.WEIGHTS, 0))
        self._held_out: list[tuple[torch.Tensor, torch.Tensor]] = []

    def seeded(self, build: Callable[[], nn.Module]) -> nn.Module:
        """A module beside the encoder, with initial weights from the seed of the card."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(torch_seed(self.card.training.seed, Stream.WEIGHTS, 1))
            return build()

    @abstractmethod
    def losses(self, batch: PairBatch) -> Mapping[str, torch.Tensor]:
        """Scalars of a batch by name, `loss` among them."""

    @abstractmethod
    def validate(self, batch: PairBatch) -> Mapping[str, torch.Tensor]:
        """Scalars of a held-out batch by name, `loss` among them."""

    def training_step(self, batch: PairBatch, batch_index: int) -> torch.Tensor:
        """Loss of a batch, a scalar; dropout is drawn from the address (seed, epoch, batch, process)."""
        address = (self.current_epoch, batch_index, self.global_rank)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(torch_seed(self.card.training.seed, Stream.DROPOUT, *address))
            values = self.losses(batch)
        loss = values["loss"]
        if not torch.isfinite(loss):
            raise InputError(
                f"the loss is {loss.item()} in epoch {self.current_epoch + 1}; lower training.learning_rate"
                f" ({self.card.training.learning_rate:g})"
            )
        self.log_dict(
            dict(values), on_step=False, on_epoch=True, batch_size=len(batch.rows), prog_bar=True, sync_dist=True
        )
        return loss

    def encode_held_out(self, batch: PairBatch) -> torch.Tensor:
        """Jet vectors `(B, D)` of a held-out batch; those of the first views are kept for the probe."""
        vectors: torch.Tensor = self.encoder(*batch.jets).jet
        self._held_out.append((gather(vectors[: len(batch.rows)]), gather(batch.labels)))
        return vectors

    def on_validation_epoch_start(self) -> None:
        """Forget the jet vectors of the epoch before."""
        self._held_out.clear()

    def on_validation_epoch_end(self) -> None:
        """Log the probe on the jet vectors of all held-out batches, which every process has gathered."""
        vectors, labels = (torch.cat(parts) for parts in zip(*self._held_out, strict=True))
        self.log("probe_auc", online_probe(vectors, labels), prog_bar=True)

    def validation_step(self, batch: PairBatch, batch_index: int) -> None:  # noqa: ARG002
        """Log the loss and the monitors of a held-out batch."""
        values = dict(self.validate(batch))
        values["validation_loss"] = values.pop("loss")
        self.log_dict(values, batch_size=len(batch.rows), sync_dist=True)

    def configure_optimizers(self) -> Any:
        """AdamW; the rate is set anew after every step."""
        settings = self.card.training
        optimizer = torch.optim.AdamW(
            self.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
        )
        factor = SCHEDULES[settings.schedule]
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: factor(step, self.total_steps, settings.warmup)
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the resolved card and the class names as text, so that the file loads with `weights_only=True`."""
        checkpoint[checkpoints.KEY] = checkpoints.description(self.card, self.classes)
