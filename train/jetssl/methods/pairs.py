"""Pre-training on pairs of views, behind a projector: NT-Xent, VICReg, and supervised contrast.

Letters: B rows of all processes, D model width, P projected width.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import cast

import torch

from jetssl.config.card import Card
from jetssl.config.objectives import NtXentCard, SupConCard, VicregCard
from jetssl.data.tensors import PairBatch
from jetssl.gathering import gather
from jetssl.losses.ntxent import ntxent
from jetssl.losses.supcon import supcon
from jetssl.losses.vicreg import vicreg_terms
from jetssl.methods.method import Method
from jetssl.methods.monitors import collapse_monitors
from jetssl.methods.shortcuts import Wins, in_one_bin, wins
from jetssl.models.projector import Projector


class PairMethod(Method):
    """Encoder and projector; the subclass, which goes with one kind of objective card, compares both views."""

    def __init__(self, card: Card, total_steps: int, classes: tuple[str, ...]) -> None:
        super().__init__(card, total_steps, classes)
        self.projector = self.seeded(lambda: Projector(self.encoder.width, card.projector))

    def losses(self, batch: PairBatch) -> Mapping[str, torch.Tensor]:
        """`compare` of both views."""
        return self.compare(*self.project(self.encoder(*batch.jets).jet), gather(batch.labels))

    def validate(self, batch: PairBatch) -> Mapping[str, torch.Tensor]:
        """`compare`, signs of collapse, and how often a positive pair is more similar than a negative one."""
        first, second = self.project(self.encode_held_out(batch))
        labels = gather(batch.labels)
        one, other = (gather(view) for view in batch.kinematics.chunk(2))
        anything = torch.ones(len(labels), len(labels), dtype=torch.bool, device=labels.device)
        self._wins["pair_auc"].append(wins(first, second, anything))
        self._wins["pair_auc_in_bin"].append(wins(first, second, in_one_bin(one, other, labels)))
        compared = self.compare(first, second, labels)
        return {"loss": compared["loss"]} | collapse_monitors(first, second)._asdict()

    def on_validation_epoch_start(self) -> None:
        """Forget the epoch before."""
        super().on_validation_epoch_start()
        self._wins: dict[str, list[Wins]] = {"pair_auc": [], "pair_auc_in_bin": []}

    def on_validation_epoch_end(self) -> None:
        """Log the shares of comparisons that positive pairs win, over all batches; nan if there are none."""
        super().on_validation_epoch_end()
        for name, batches in self._wins.items():
            won, of = (torch.stack(column).sum() for column in zip(*batches, strict=True))
            self.log(name, won / of, prog_bar=True)

    def project(self, vectors: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Projected first and second view of every row of every process, each `(B, P)`, from this one's vectors."""
        first, second = self.projector(vectors).chunk(2)
        return gather(first), gather(second)

    @abstractmethod
    def compare(self, first: torch.Tensor, second: torch.Tensor, labels: torch.Tensor) -> Mapping[str, torch.Tensor]:
        """Scalars by name, `loss` among them.

        Args:
            first: one view of each row, `(B, P)`.
            second: another view of the same rows, `(B, P)`.
            labels: class of each row, int64 `(B,)`.
        """


class Contrastive(PairMethod):
    """SimCLR's scheme (arXiv:2002.05709)."""

    def compare(
        self,
        first: torch.Tensor,
        second: torch.Tensor,
        labels: torch.Tensor,  # noqa: ARG002
    ) -> Mapping[str, torch.Tensor]:
        """NT-Xent."""
        settings = cast(NtXentCard, self.card.objective)
        return {"loss": ntxent(first, second, settings.temperature)}


class Vicreg(PairMethod):
    """VICReg (arXiv:2105.04906)."""

    def compare(
        self,
        first: torch.Tensor,
        second: torch.Tensor,
        labels: torch.Tensor,  # noqa: ARG002
    ) -> Mapping[str, torch.Tensor]:
        """The weighted sum, and its three terms without weights."""
        settings = cast(VicregCard, self.card.objective)
        terms = vicreg_terms(first, second)
        loss = (
            settings.invariance * terms.invariance
            + settings.variance * terms.variance
            + settings.covariance * terms.covariance
        )
        return {"loss": loss} | terms._asdict()


class SupCon(PairMethod):
    """Supervised contrast (arXiv:2004.11362)."""

    def compare(self, first: torch.Tensor, second: torch.Tensor, labels: torch.Tensor) -> Mapping[str, torch.Tensor]:
        """Jets of a class attract each other, the two views of a row among them."""
        settings = cast(SupConCard, self.card.objective)
        return {"loss": supcon(torch.cat([first, second]), labels.repeat(2), settings.temperature)}
