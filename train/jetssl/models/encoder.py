"""The interface of every encoder.

Letters: B jets, N constituents, F features, D model width.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
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
    stack: ClassVar[str | None] = "blocks"
    """attribute that holds the layers that follow each other, as an `nn.ModuleList`; None: there are none"""

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

    def depths(self) -> Mapping[str, int]:
        """How deep each parameter lies, by its name: 0 above the stack, 1 in its last layer, most in the embedding.

        Children that were registered before the stack lie below it; everything else, also parameters of the encoder
        itself such as a class token, lies above.
        """
        children = [name for name, _ in self.named_children()]
        if self.stack is None or self.stack not in children:
            return dict.fromkeys((name for name, _ in self.named_parameters()), 0)
        below, n_layers = children[: children.index(self.stack)], len(self.get_submodule(self.stack)._modules)

        def depth(name: str) -> int:
            child, _, rest = name.partition(".")
            if child == self.stack:
                return n_layers - int(rest.partition(".")[0])
            return n_layers + 1 if child in below else 0

        return {name: depth(name) for name, _ in self.named_parameters()}

    @abstractmethod
    def encode(self, features: torch.Tensor, momenta: torch.Tensor, ragged: Ragged) -> Encoded:
        """The same, `(B, N, F)` and `(B, N, 4)`, of jets whose mask is described by `ragged`."""
