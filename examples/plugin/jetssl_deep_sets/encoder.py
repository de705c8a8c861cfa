"""Deep sets (arXiv:1703.06114): a perceptron for every constituent, and the mean over the jet."""

from itertools import pairwise
from typing import Literal

import torch
from pydantic import Field
from torch import nn

from jetssl.config.encoders import EncoderSection
from jetssl.data.ragged import Ragged
from jetssl.models.encoder import Encoded, Encoder


class DeepSetsSection(EncoderSection):
    """Deep sets (arXiv:1703.06114)."""

    name: Literal["deep_sets"] = "deep_sets"
    width: int = Field(64, ge=1, le=4096)
    """size of the jet vector"""
    hidden: tuple[int, ...] = (100, 100)
    """hidden sizes of the perceptron"""


class DeepSets(Encoder):
    """Called with the number of features of a constituent and the section of the card."""

    section = DeepSetsSection

    def __init__(self, n_features: int, card: DeepSetsSection) -> None:
        super().__init__()
        self.width = card.width
        sizes = (n_features, *card.hidden, card.width)
        layers = [layer for size in pairwise(sizes) for layer in (nn.Linear(*size), nn.ReLU())]
        self.perceptron = nn.Sequential(*layers)

    def encode(self, features: torch.Tensor, momenta: torch.Tensor, ragged: Ragged) -> Encoded:
        """`(B, N, F)`, `(B, N, 4)` (not used) → tokens `(B, N, D)`, jet `(B, D)`; padding is never seen."""
        tokens = self.perceptron(ragged.flatten(features))
        return Encoded(ragged.pad(tokens), ragged.sum(tokens) / ragged.restore(ragged.counts)[:, None])
