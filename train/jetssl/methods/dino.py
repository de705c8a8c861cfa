"""DINO on jets: the student says of one view what the teacher, its own average, says of the other one.

Letters: B rows of all processes, D model width, P projected width, K prototypes.
"""

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from torch import nn
from torch.nn import functional

from jetssl.common.collectives import gather
from jetssl.common.precision import at_least_single, no_autocast
from jetssl.config.card import Card
from jetssl.config.objectives import DinoCard
from jetssl.data.tensors import PairBatch
from jetssl.losses.dino import dino, koleo
from jetssl.methods.averaged import AveragedMethod
from jetssl.methods.monitors import alignment, spread
from jetssl.models.projector import Projector


class Dino(AveragedMethod):
    """Encoder and projector of the teacher, which are averages, and those of the student; a centre of the teacher."""

    def __init__(self, card: Card, total_steps: int, classes: tuple[str, ...]) -> None:
        self.settings = cast(DinoCard, card.objective)
        super().__init__(card, total_steps, classes, self.settings.average)
        width = self.encoder.width
        self.projector, self.student_projector = (
            self.seeded(lambda: Projector(width, card.projector)) for _ in range(2)
        )
        self.prototypes, self.student_prototypes = (
            self.seeded(lambda: nn.Linear(card.projector.output, self.settings.prototypes, bias=False))
            for _ in range(2)
        )
        for average, _ in self.averages:
            average.requires_grad_(False)
        self.centre: torch.Tensor
        self.register_buffer("centre", torch.zeros(self.settings.prototypes))

    @property
    def averages(self) -> Sequence[tuple[nn.Module, nn.Module]]:
        """Those of encoder, projector and prototypes."""
        heads = [(self.projector, self.student_projector), (self.prototypes, self.student_prototypes)]
        return [*super().averages, *heads]

    def losses(self, batch: PairBatch) -> Mapping[str, torch.Tensor]:
        """`loss`, and its parts; the centre follows the teacher."""
        self.encoder.eval()
        self.projector.eval()
        with torch.no_grad():
            teacher = _logits(self.projector(self.encoder(*batch.jets).jet), self.prototypes)
        losses = self._compare(batch, teacher)
        if self.training:
            with torch.no_grad():
                self.centre.lerp_(gather(teacher).mean(0).to(self.centre.dtype), 1 - self.settings.centre)
        return losses

    def validate(self, batch: PairBatch) -> Mapping[str, torch.Tensor]:
        """The loss; what the teacher says is kept for the monitors."""
        projected = at_least_single(self.projector(self.encode_held_out(batch)))
        first, second = projected.chunk(2)
        self.keep(first=gather(first), second=gather(second))
        return {"loss": self._compare(batch, _logits(projected, self.prototypes))["loss"]}

    def monitors(self, held_out: Mapping[str, torch.Tensor]) -> Mapping[str, torch.Tensor]:
        """Spread of the teacher's vectors, and how well its two views agree."""
        agreement = alignment(held_out["first"], held_out["second"])
        return {**spread(held_out["vectors"])._asdict(), "alignment": agreement}

    def _compare(self, batch: PairBatch, teacher: torch.Tensor) -> Mapping[str, torch.Tensor]:
        settings, vectors = self.settings, self.student(*batch.jets).jet
        temperatures = (settings.student_temperature, settings.teacher_temperature)
        student = _logits(self.student_projector(vectors), self.student_prototypes)
        found = dino(student, teacher, self.centre, temperatures, batch.weights)
        if not settings.koleo:
            return {"loss": found}
        apart = koleo(gather(at_least_single(vectors[: len(batch.rows)])))
        return {"loss": found + settings.koleo * apart, "distillation": found, "koleo": apart}


def _logits(projected: torch.Tensor, prototypes: nn.Module) -> torch.Tensor:
    """Cosines of projected vectors `(B, P)` with the prototypes, `(B, K)`: what has no bound collapses."""
    with no_autocast(projected.device):
        directions = functional.normalize(at_least_single(projected), dim=1)
        return functional.linear(
            directions, functional.normalize(at_least_single(cast(nn.Linear, prototypes).weight), dim=1)
        )
