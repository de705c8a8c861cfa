"""Pre-training on pairs of views, behind a projector: NT-Xent, VICReg, SIGReg, and supervised contrast.

Letters: B rows of all processes, D model width, P projected width.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import cast

import torch

from jetssl.common.collectives import gather
from jetssl.common.precision import at_least_single
from jetssl.common.seeds import Stream
from jetssl.config.card import Card
from jetssl.config.objectives import NtXentCard, SigregCard, SupConCard, VicregCard
from jetssl.data.tensors import PairBatch
from jetssl.losses.ntxent import ntxent
from jetssl.losses.sigreg import directions, lejepa_terms
from jetssl.losses.supcon import supcon
from jetssl.losses.vicreg import vicreg_terms
from jetssl.methods.base import Method
from jetssl.methods.monitors import alignment, spread, uniformity
from jetssl.methods.shortcuts import pair_auc
from jetssl.models.projector import Projector


class PairMethod(Method):
    """Encoder and projector; the subclass, which goes with one kind of objective card, compares both views."""

    def __init__(self, card: Card, total_steps: int, classes: tuple[str, ...]) -> None:
        super().__init__(card, total_steps, classes)
        self.projector = self.seeded(lambda: Projector(self.encoder.width, card.projector))

    def losses(self, batch: PairBatch) -> Mapping[str, torch.Tensor]:
        """`compare` of both views."""
        projected = self.project(self.encoder(*batch.jets).jet)
        return self.compare(*projected, batch)

    def validate(self, batch: PairBatch) -> Mapping[str, torch.Tensor]:
        """The loss of `compare`; what it compared is kept for the monitors."""
        first, second = self.project(self.encode_held_out(batch))
        one, other = (gather(view) for view in batch.kinematics.chunk(2))
        self.keep(first=first, second=second, one=one, other=other)
        return {"loss": self.compare(first, second, batch)["loss"]}

    def monitors(self, held_out: Mapping[str, torch.Tensor]) -> Mapping[str, torch.Tensor]:
        """Signs of collapse, and how often a positive pair is more similar than a negative one."""
        first, second = held_out["first"], held_out["second"]
        won = pair_auc(first, second, (held_out["one"], held_out["other"]), held_out["labels"])
        collapse = {"alignment": alignment(first, second), "uniformity": uniformity(first)}
        shortcut = {"pair_auc": won.anywhere, "pair_auc_in_bin": won.in_bin}
        return spread(torch.cat([first, second]))._asdict() | collapse | shortcut

    def project(self, vectors: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Projected first and second view of every row of every process, each `(B, P)`, from this one's vectors."""
        first, second = at_least_single(self.projector(vectors)).chunk(2)
        return gather(first), gather(second)

    @abstractmethod
    def compare(self, first: torch.Tensor, second: torch.Tensor, batch: PairBatch) -> Mapping[str, torch.Tensor]:
        """Scalars by name, `loss` among them.

        Args:
            first: one view of each row of all processes, `(B, P)`.
            second: another view of the same rows, `(B, P)`.
            batch: the rows of this process.
        """


def weights_of_all(batch: PairBatch) -> torch.Tensor | None:
    """Weights of the rows of all processes."""
    return None if batch.weights is None else gather(batch.weights)


class Contrastive(PairMethod):
    """SimCLR's scheme (arXiv:2002.05709)."""

    def compare(self, first: torch.Tensor, second: torch.Tensor, batch: PairBatch) -> Mapping[str, torch.Tensor]:
        """NT-Xent of `first` and `second`, both `(B, P)`."""
        settings = cast(NtXentCard, self.card.objective)
        return {"loss": ntxent(first, second, settings.temperature, weights_of_all(batch))}


class Vicreg(PairMethod):
    """VICReg (arXiv:2105.04906)."""

    def compare(self, first: torch.Tensor, second: torch.Tensor, batch: PairBatch) -> Mapping[str, torch.Tensor]:
        """VICReg loss of `first` and `second`, both `(B, P)`, and its three terms without weights."""
        settings = cast(VicregCard, self.card.objective)
        terms = vicreg_terms(first, second, weights_of_all(batch))
        loss = (
            settings.invariance * terms.invariance
            + settings.variance * terms.variance
            + settings.covariance * terms.covariance
        )
        return {"loss": loss} | terms._asdict()


class Sigreg(PairMethod):
    """LeJEPA (arXiv:2511.08544)."""

    def compare(self, first: torch.Tensor, second: torch.Tensor, batch: PairBatch) -> Mapping[str, torch.Tensor]:
        """Loss of LeJEPA of `first` and `second`, both `(B, P)`, and its two terms without weights."""
        settings = cast(SigregCard, self.card.objective)
        onto = directions(first.shape[1], settings.directions, self.seed_of_step(Stream.DIRECTIONS))
        terms = lejepa_terms(first, second, onto, weights_of_all(batch))
        loss = (1 - settings.sigreg) * terms.prediction + settings.sigreg * terms.sigreg
        return {"loss": loss} | terms._asdict()


class SupCon(PairMethod):
    """Supervised contrast (arXiv:2004.11362)."""

    def compare(self, first: torch.Tensor, second: torch.Tensor, batch: PairBatch) -> Mapping[str, torch.Tensor]:
        """Supervised contrastive loss of `first` and `second`, both `(B, P)`, with the labels of their rows."""
        settings = cast(SupConCard, self.card.objective)
        labels, weights = gather(batch.labels), weights_of_all(batch)
        of_both = None if weights is None else weights.repeat(2)
        return {"loss": supcon(torch.cat([first, second]), labels.repeat(2), settings.temperature, of_both)}
