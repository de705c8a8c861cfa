"""Contrastive pre-training on positive pairs (SimCLR's scheme, arXiv:2002.05709, on re-simulated views).

Letters: B rows, N constituents, F features, D model width, P projected width.
"""

from typing import Any

import lightning
import torch

from jetssl import checkpoints
from jetssl.config import Card
from jetssl.data.tensors import PairBatch
from jetssl.losses.ntxent import ntxent
from jetssl.methods.monitors import collapse_monitors
from jetssl.models.builder import build_encoder
from jetssl.models.projector import Projector
from jetssl.schedules import warmup_cosine
from jetssl.seeds import Stream, torch_seed
from resim.errors import InputError


class Contrastive(lightning.LightningModule):
    """Encoder, projector, NT-Xent, AdamW (arXiv:1711.05101) with warm-up and cosine.

    Args:
        card: the whole training card; it travels in every checkpoint.
        total_steps: optimizer steps of the whole training.
    """

    def __init__(self, card: Card, total_steps: int) -> None:
        super().__init__()
        self.card, self.total_steps = card, total_steps
        self.encoder = build_encoder(card, torch_seed(card.training.seed, Stream.WEIGHTS, 0))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(torch_seed(card.training.seed, Stream.WEIGHTS, 1))
            self.projector = Projector(self.encoder.width, card.projector)

    def embed(self, batch: PairBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """Projected first and second view of every row, each `(B, P)`."""
        first, second = self.projector(self.encoder(*batch.jets).jet).chunk(2)
        return first, second

    def training_step(self, batch: PairBatch, batch_index: int) -> torch.Tensor:  # noqa: ARG002
        """Loss of a batch, a scalar."""
        loss = ntxent(*self.embed(batch), self.card.objective.temperature)
        if not torch.isfinite(loss):
            raise InputError(
                f"the loss is {loss.item()} in epoch {self.current_epoch + 1}; lower training.learning_rate"
                f" ({self.card.training.learning_rate:g}) or raise objective.temperature"
            )
        self.log("loss", loss, on_step=False, on_epoch=True, batch_size=len(batch.rows), prog_bar=True)
        return loss

    def validation_step(self, batch: PairBatch, batch_index: int) -> None:  # noqa: ARG002
        """Log the loss and the collapse monitors of a held-out batch."""
        first, second = self.embed(batch)
        values = {"validation_loss": ntxent(first, second, self.card.objective.temperature)}
        values |= collapse_monitors(first, second)._asdict()
        self.log_dict(values, batch_size=len(batch.rows))

    def configure_optimizers(self) -> Any:
        """AdamW; the rate is set anew after every step."""
        settings = self.card.training
        optimizer = torch.optim.AdamW(
            self.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: warmup_cosine(step, self.total_steps, settings.warmup)
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the resolved card as text, so that the file loads with `weights_only=True`."""
        checkpoint[checkpoints.KEY] = checkpoints.description(self.card)
