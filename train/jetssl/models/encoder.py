"""The interface of every encoder.

Letters: B jets, N constituents, F features, D model width.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import nn

from jetssl.data.tensors import JetBatch


class Encoded(NamedTuple):
    """What an encoder returns."""

    tokens: torch.Tensor
    """`(B, N, D)`, one per constituent, 0 outside the mask"""
    jet: torch.Tensor
    """`(B, D)`"""


class Encoder(nn.Module, ABC):
    """Base of all encoders: constituents in, tokens and a jet vector out.

    Attributes:
        width: D.
    """

    width: int

    @abstractmethod
    def forward(self, features: torch.Tensor, momenta: torch.Tensor, mask: torch.Tensor) -> Encoded:
        """Encode jets.

        Args:
            features: `(B, N, F)`.
            momenta: `(B, N, 4)`, (E, px, py, pz) in GeV seen from the jet axis, for encoders that use pairs.
            mask: bool `(B, N)`; at least one True per jet. Nothing outside it may change the result.
        """


def jet_vectors(encoder: Encoder, jets: JetBatch, groups: int) -> torch.Tensor:
    """Jet vectors `(B, D)` without much work on padding: sort by length, encode `groups` parts, undo the sorting.

    Each part is padded to its own longest jet only. Encoders treat jets independently, so the result is that of one
    call up to rounding.
    """
    lengths = jets.mask.sum(1)
    order = torch.argsort(lengths, stable=True)
    parts = []
    for index in order.chunk(groups):
        longest = int(lengths[index[-1]])
        features, momenta, mask = (tensor[index, :longest] for tensor in jets)
        parts.append(encoder(features, momenta, mask).jet)
    return torch.cat(parts)[torch.argsort(order)]
