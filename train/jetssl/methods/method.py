"""What all training methods share: an encoder, AdamW with warm-up and cosine, checkpoints, and a finite loss."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import lightning
import torch
from torch import nn

from jetssl import checkpoints
from jetssl.config import Card
from jetssl.data.tensors import PairBatch
from jetssl.models.builder import build_encoder
from jetssl.schedules import warmup_cosine
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
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: warmup_cosine(step, self.total_steps, settings.warmup)
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the resolved card and the class names as text, so that the file loads with `weights_only=True`."""
        checkpoint[checkpoints.KEY] = checkpoints.description(self.card, self.classes)
