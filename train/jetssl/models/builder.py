"""Encoders by the name that a card uses."""

import torch

from jetssl.config import Card
from jetssl.data.features import FEATURE_SETS
from jetssl.models.encoder import Encoder
from jetssl.models.transformer import Transformer

ENCODERS = {"transformer": Transformer}


def build_encoder(card: Card, seed: int) -> Encoder:
    """A freshly initialized encoder; the global random state of torch is left alone.

    Args:
        card: says which encoder and which input features.
        seed: seed of the initial weights.
    """
    n_features = len(FEATURE_SETS[card.data.features].names)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ENCODERS[card.encoder.name](n_features, card.encoder)
