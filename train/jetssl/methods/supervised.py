"""Supervised training: cross-entropy of a linear layer on the jet vector.

Letters: B rows, D model width.
"""

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional

from jetssl.common.precision import at_least_single, no_autocast
from jetssl.config.card import Card
from jetssl.data.tensors import PairBatch
from jetssl.losses.weighting import weighted_mean
from jetssl.methods.base import Method
from resim.common.errors import InputError


class Supervised(Method):
    """Encoder and classifier; one view of a row at a time.

    Raises:
        InputError: the data have one class only.
    """

    def __init__(self, card: Card, total_steps: int, classes: tuple[str, ...]) -> None:
        super().__init__(card, total_steps, classes)
        if len(classes) < 2:
            raise InputError(f"{card.data.files[0]}: one class ({classes[0]}), a classifier needs two; add files")
        self.classifier = self.seeded(lambda: nn.Linear(self.encoder.width, len(classes)))

    def losses(self, batch: PairBatch) -> Mapping[str, torch.Tensor]:
        """Cross-entropy, in which rows may have weights, and share of jets whose class is the most probable one."""
        return self._judge(self.encoder(*batch.jets).jet, batch.labels, batch.weights)

    def validate(self, batch: PairBatch) -> Mapping[str, torch.Tensor]:
        """The same."""
        return self._judge(self.encode_held_out(batch), batch.labels, batch.weights)

    def _judge(
        self, vectors: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor | None = None
    ) -> Mapping[str, torch.Tensor]:
        logits = self.classifier(vectors)
        with no_autocast(logits.device):
            if weights is None:
                loss = functional.cross_entropy(at_least_single(logits), labels)
            else:
                of_rows = functional.cross_entropy(at_least_single(logits), labels, reduction="none")
                loss = weighted_mean(of_rows, weights)
        return {"loss": loss, "accuracy": (logits.argmax(1) == labels).float().mean()}
