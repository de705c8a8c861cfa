"""Encoders as a training leaves them."""

from typing import Any

import numpy as np

from jetssl.config.card import Card
from jetssl.data.tensors import to_tensors
from jetssl.models.builder import build_encoder
from jetssl.models.encoder import Encoder
from jetssl.models.normalization import Normalized
from tests.helpers.toys import ENCODER_CARDS, make_jets, toy_data


def built(name: str, *, normalize: bool = True, **sizes: Any) -> Encoder:
    """An encoder of `ENCODER_CARDS` with running statistics and a normalization that are not those of a fresh network."""
    encoder_card, data = ENCODER_CARDS[name].model_copy(update=sizes), toy_data(name, normalize=normalize)
    card = Card(data=data, encoder=encoder_card)
    encoder = build_encoder(card, seed=1)
    for seed in range(3):
        encoder(*to_tensors(make_jets(np.random.default_rng(seed), [9, 2, 30]), data.features))
    if isinstance(encoder, Normalized):
        encoder.fit([to_tensors(make_jets(np.random.default_rng(5), [40, 40]), data.features)])
    return encoder.eval()
