"""P-JEPA: predict, from a part of a jet, what an averaged encoder makes of the rest.

The scheme of I-JEPA (arXiv:2301.08243) on constituents. Inputs are hidden, not outputs: the context encoder never
gets a hidden constituent. The encoder that is validated and saved is the target encoder.

Letters: R rows, N constituents, D model width.
"""

from collections.abc import Mapping
from typing import Final, cast

import torch
from torch import nn
from torch.nn import functional

from jetssl.common.collectives import gather
from jetssl.common.precision import at_least_single, no_autocast
from jetssl.common.seeds import Stream
from jetssl.config.card import Card
from jetssl.config.objectives import JepaCard
from jetssl.data.columns import TYPE_NAMES
from jetssl.data.features import type_places
from jetssl.data.tensors import JetBatch, PairBatch
from jetssl.losses.masked_particles import type_loss
from jetssl.losses.sigreg import directions, sigreg
from jetssl.losses.vicreg import covariance, variance
from jetssl.losses.weighting import weighted_mean
from jetssl.methods.averaged import AveragedMethod
from jetssl.methods.monitors import spread
from jetssl.models.encoder import Encoded
from jetssl.models.predictor import Predictor, kinematics

DIRECTIONS: Final = 256
"""That SIGReg projects jet vectors on."""


class Jepa(AveragedMethod):
    """The student is the context encoder, and the target encoder its average."""

    def __init__(self, card: Card, total_steps: int, classes: tuple[str, ...]) -> None:
        self.settings = cast(JepaCard, card.objective)
        super().__init__(card, total_steps, classes, self.settings.average)
        width = self.encoder.width
        self.predictor = self.seeded(lambda: Predictor(width, self.settings.predictor, n_marks=3))
        self.jet_predictor = self.seeded(
            lambda: nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))
        )
        if self.settings.pid:
            self.typing = self.seeded(lambda: nn.Linear(width, len(TYPE_NAMES)))
        self._types: torch.Tensor
        self.register_buffer("_types", torch.tensor(type_places(card.data.feature_set)), persistent=False)

    def losses(self, batch: PairBatch) -> Mapping[str, torch.Tensor]:
        """The weighted sum `loss`, and its terms without weights."""
        hidden, whole = batch.hiding(), _last_views(batch)
        self.encoder.eval()
        with torch.no_grad():
            target = self.encoder(*whole._replace(layout=hidden.whole_layout))
        return self._compare(batch, target)[0]

    def validate(self, batch: PairBatch) -> Mapping[str, torch.Tensor]:
        """The loss; vectors of the target encoder and predicted ones are kept for the monitors."""
        encoded = self.encoder(*batch.jets)
        n_rows = len(batch.rows)
        losses, guessed = self._compare(batch, Encoded(encoded.tokens[-n_rows:], encoded.jet[-n_rows:]))
        self.keep(
            vectors=gather(at_least_single(encoded.jet[:n_rows])),
            labels=gather(batch.labels),
            predicted=gather(guessed),
        )
        return {"loss": losses["loss"]}

    def monitors(self, held_out: Mapping[str, torch.Tensor]) -> Mapping[str, torch.Tensor]:
        """Spread of the target encoder's vectors and of predicted ones: both fall to 0 with a collapse."""
        predicted = spread(held_out["predicted"])._asdict()
        targets = spread(held_out["vectors"])._asdict()
        return targets | {f"predicted_{name}": value for name, value in predicted.items()}

    def _compare(self, batch: PairBatch, target: Encoded) -> tuple[Mapping[str, torch.Tensor], torch.Tensor]:
        """Losses by name, and the predicted jet vectors `(R, D)`."""
        hidden, whole, n_rows = batch.hiding(), _last_views(batch), len(batch.rows)
        features, momenta = batch.jets.features[:n_rows], batch.jets.momenta[:n_rows]
        seen = self.student(features, momenta, hidden.seen, hidden.seen_layout)
        both = torch.cat([momenta, whole.momenta], dim=1)
        marks = kinematics(both, hidden.guessed_layout)
        guessed = at_least_single(self.predictor(seen.tokens, marks, hidden.guessed_layout))
        jets = at_least_single(self.jet_predictor(seen.jet))
        weights = torch.ones_like(jets[:, 0]) if batch.weights is None else batch.weights
        at = hidden.guessed * weights[:, None]
        with no_autocast(jets.device):
            terms = {
                "particle": weighted_mean(_distance(guessed, target.tokens), at),
                "aggregated": weighted_mean(_distance(jets, target.jet), weights),
            }
            if self.settings.pid:
                types = whole.features.index_select(-1, self._types)
                terms["pid"] = type_loss(at_least_single(self.typing(guessed)), types, at)
            terms |= self._guards(gather(at_least_single(seen.jet)), gather(weights))
        loss = sum(
            (getattr(self.settings, name) * value for name, value in terms.items()), torch.zeros_like(at[0, 0])
        )
        return {"loss": loss} | terms, jets

    def _guards(self, vectors: torch.Tensor, weights: torch.Tensor) -> Mapping[str, torch.Tensor]:
        """Terms against collapse that the card asks for, of jet vectors `(R, D)` with weights `(R,)`."""
        settings, terms = self.settings, {}
        if settings.variance:
            terms["variance"] = variance(vectors, weights)
        if settings.covariance:
            terms["covariance"] = covariance(vectors, weights)
        if settings.sigreg:
            onto = directions(vectors.shape[1], DIRECTIONS, self.seed_of_step(Stream.DIRECTIONS))
            terms["sigreg"] = sigreg(vectors, onto, weights)
        return terms


def _last_views(batch: PairBatch) -> JetBatch:
    """The jets that are guessed: the second views, or the only ones."""
    features, momenta, mask, _ = batch.jets
    n_rows = len(batch.rows)
    return JetBatch(features[-n_rows:], momenta[-n_rows:], mask[-n_rows:])


def _distance(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Smooth-L1 distance from the target, whose components are normalized, mean over them: `(..., D)` → `(...)`."""
    wanted = functional.layer_norm(at_least_single(target), target.shape[-1:])
    return functional.smooth_l1_loss(predicted, wanted, reduction="none").mean(-1)
