"""Encoders by the name that a card uses."""

from collections.abc import Callable
from typing import Any

import torch

from jetssl.config import plugins
from jetssl.config.card import Card
from jetssl.data.features import FEATURE_SETS
from jetssl.models.encoder import Encoder
from jetssl.models.interaction_network import InteractionNetwork
from jetssl.models.lgatr import LGATr, LGATrSlim
from jetssl.models.lloca import LocalFramesTransformer
from jetssl.models.normalization import Normalized
from jetssl.models.omnilearned import OmniLearned
from jetssl.models.particle_transformer import ParticleTransformer
from jetssl.models.particlenet import ParticleNet
from jetssl.models.resim_transformer import ResimTransformer
from jetssl.models.rs3l_gnn import Rs3lGnn
from jetssl.models.transformer import Transformer

ENCODERS: dict[str, Callable[[int, Any], Encoder]] = {
    "transformer": Transformer,
    "resim_transformer": ResimTransformer,
    "part": ParticleTransformer,
    "particlenet": ParticleNet,
    "rs3l_gnn": Rs3lGnn,
    "interaction_network": InteractionNetwork,
    "lgatr": LGATr,
    "lgatr_slim": LGATrSlim,
    "lloca_part": LocalFramesTransformer,
    "omnilearned": OmniLearned,
}
"""Those of jetssl, called with the number of features and the section of that encoder."""


def encoder_class(name: str) -> Callable[[int, Any], Encoder]:
    """The encoder of a name: one of jetssl, or of an installed package.

    Raises:
        InputError: no package has it, or what it has is no encoder.
    """
    return ENCODERS.get(name) or plugins.load("encoders", name, Encoder)  # type: ignore[type-abstract]


def build_encoder(card: Card, seed: int) -> Encoder:
    """A freshly initialized encoder; the global random state of torch is left alone.

    Args:
        card: says which encoder and which input features.
        seed: seed of the initial weights.
    """
    n_features = len(FEATURE_SETS[card.data.feature_set].names)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = encoder_class(card.encoder.name)(n_features, card.encoder)
    return Normalized(encoder, n_features) if card.data.normalize else encoder
