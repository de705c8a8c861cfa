"""Masked particle modelling: predict features and types of hidden constituents from the rest of the jet.

As arXiv:2409.12589 has it: the encoder gets what is seen and nothing else; a predictor, not used afterwards, guesses
the rest. It is told the rank in pT of what it guesses, as else all guesses of a jet would be equal, and nothing more
(arXiv:2401.13537). It reads the jet vector, too, which so learns what the jet is.

Letters: R rows, N constituents, T seen and guessed ones of all jets, D model width.
"""

from collections.abc import Mapping
from typing import cast

import torch
from torch import nn

from jetssl.common.precision import at_least_single, no_autocast
from jetssl.config.card import Card
from jetssl.config.objectives import MpmCard
from jetssl.data.columns import TYPE_NAMES
from jetssl.data.features import FEATURE_SETS, type_places
from jetssl.data.tensors import PairBatch
from jetssl.losses.masked_particles import regression_loss, type_loss
from jetssl.methods.base import Method
from jetssl.models.encoder import Encoded
from jetssl.models.normalization import Normalized
from jetssl.models.predictor import Predictor, ranks


class Mpm(Method):
    """Encoder, predictor, and a linear map to the features and to the types."""

    def __init__(self, card: Card, total_steps: int, classes: tuple[str, ...]) -> None:
        super().__init__(card, total_steps, classes)
        self.settings, width = cast(MpmCard, card.objective), self.encoder.width
        self.predictor = self.seeded(lambda: Predictor(width, self.settings.predictor, n_marks=1 + width))
        types = type_places(card.data.feature_set)
        others = [place for place in range(len(FEATURE_SETS[card.data.feature_set].names)) if place not in types]
        if self.settings.regression:
            self.regression = self.seeded(lambda: nn.Linear(width, len(others)))
        if self.settings.pid:
            self.typing = self.seeded(lambda: nn.Linear(width, len(TYPE_NAMES)))
        self._types: torch.Tensor
        self._others: torch.Tensor
        self.register_buffer("_types", torch.tensor(types), persistent=False)
        self.register_buffer("_others", torch.tensor(others), persistent=False)

    def losses(self, batch: PairBatch) -> Mapping[str, torch.Tensor]:
        """The weighted sum `loss`, and its terms without weights."""
        hidden, jets = batch.hiding(), batch.jets
        seen = self.encoder(jets.features, jets.momenta, hidden.seen, hidden.seen_layout)
        guessed = at_least_single(self._guess(seen, batch))
        weights = torch.ones_like(guessed[:, 0, 0]) if batch.weights is None else batch.weights
        at = hidden.guessed * weights[:, None]
        terms = {}
        with no_autocast(guessed.device):
            if self.settings.regression:
                wanted = self._standardized(jets.features).index_select(-1, self._others)
                terms["regression"] = regression_loss(self.regression(guessed), wanted, at)
            if self.settings.pid:
                types = jets.features.index_select(-1, self._types)
                terms["pid"] = type_loss(self.typing(guessed), types, at)
        summands = [getattr(self.settings, name) * value for name, value in terms.items()]
        return {"loss": torch.stack(summands).sum()} | terms

    def validate(self, batch: PairBatch) -> Mapping[str, torch.Tensor]:
        """The loss; vectors of whole jets are kept for the monitors."""
        self.encode_held_out(batch)
        return {"loss": self.losses(batch)["loss"]}

    def _guess(self, seen: Encoded, batch: PairBatch) -> torch.Tensor:
        """What the predictor makes of hidden constituents, `(R, N, D)`."""
        layout = batch.hiding().guessed_layout
        of_jet = seen.jet[layout.order[layout.jet]]
        marks = torch.cat([ranks(seen.tokens.shape[1], layout).to(of_jet.dtype), of_jet], dim=1)
        guessed: torch.Tensor = self.predictor(seen.tokens, marks, layout)
        return guessed

    def _standardized(self, features: torch.Tensor) -> torch.Tensor:
        return self.encoder.normalize(features) if isinstance(self.encoder, Normalized) else features
