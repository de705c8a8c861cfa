"""The interface of every encoder.

Letters: B jets, N constituents, F features, D model width.
"""

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import torch
from torch import nn

from jetssl.config.encoders import EncoderSection
from jetssl.data.ragged import Ragged


class Encoded(NamedTuple):
    """What an encoder returns."""

    tokens: torch.Tensor
    """`(B, N, D)`, one per constituent, 0 outside the mask"""
    jet: torch.Tensor
    """`(B, D)`"""


class Encoder(nn.Module, ABC):
    """Base of all encoders: constituents in, tokens and a jet vector out.

    Attributes:
        section: of an encoder that an installed package adds: the model of its section of the card
            (`jetssl.config.plugins`).
        width: D.
    """

    section: ClassVar[type[EncoderSection]]
    width: int

    def forward(
        self, features: torch.Tensor, momenta: torch.Tensor, mask: torch.Tensor, layout: Ragged | None = None
    ) -> Encoded:
        """Encode jets.

        Args:
            features: `(B, N, F)`.
            momenta: `(B, N, 4)`, (E, px, py, pz) in GeV seen from the jet axis, for encoders that use pairs.
            mask: bool `(B, N)`; at least one True per jet. Nothing outside it may change the result. An encoder
                skips padding by itself (`jetssl.data.ragged`), so batches need no sorting.
            layout: `Ragged.of(mask)` if it is known; on a GPU it should be, for it is made on the CPU.
        """
        return self.encode(features, momenta, layout or Ragged.of(mask))

    @abstractmethod
    def encode(self, features: torch.Tensor, momenta: torch.Tensor, ragged: Ragged) -> Encoded:
        """The same, `(B, N, F)` and `(B, N, 4)`, of jets whose mask is described by `ragged`."""
