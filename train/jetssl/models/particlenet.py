"""ParticleNet (arXiv:1902.08570): three edge-convolution blocks with shortcuts, neighbours found anew in each.

Letters: B jets, N constituents, F features, T real constituents of the batch, C channels, D model width.
"""

import torch
from torch import nn

from jetssl.config.encoders import ParticleNetCard
from jetssl.data.ragged import Ragged
from jetssl.models.batch_norm import BatchNorm
from jetssl.models.edge_convolution import EdgeConvolution, nearest
from jetssl.models.encoder import Encoded, Encoder


class EdgeConvolutionBlock(nn.Module):
    """Mean over the messages of K neighbours (itself not among them) beside a linear shortcut, then ReLU.

    Args:
        before: channels of the input.
        channels: sizes of the perceptron on edges.
        count: K.
        padded: whether missing neighbours are zeros.
    """

    def __init__(self, before: int, channels: tuple[int, ...], count: int, *, padded: bool) -> None:
        super().__init__()
        self.count = count
        self.messages = EdgeConvolution(
            (before, *channels), nn.ReLU, batch_norm=True, aggregation="mean", padded=padded
        )
        self.shortcut = (
            nn.Identity()
            if before == channels[-1]
            else nn.Sequential(nn.Linear(before, channels[-1], bias=False), BatchNorm(channels[-1]))
        )

    def forward(self, values: torch.Tensor, coordinates: torch.Tensor, ragged: Ragged) -> torch.Tensor:
        """`(T, C)`, coordinates to find neighbours by → `(T, C')`."""
        near = nearest(coordinates, ragged, self.count, with_self=False)
        return torch.relu(self.shortcut(values) + self.messages(values, near))


class ParticleNet(Encoder):
    """The published blocks and the mean over constituents; D is the size of the last block.

    Neighbours in the first block are found in (rapidity, azimuth), as the four-vectors have them.

    Args:
        n_features: F.
        card: sizes.
    """

    def __init__(self, n_features: int, card: ParticleNetCard) -> None:
        super().__init__()
        self.width = card.channels[-1][-1]
        self.input_norm = BatchNorm(n_features)
        before = (n_features, *(channels[-1] for channels in card.channels))
        self.blocks = nn.ModuleList(
            EdgeConvolutionBlock(size, channels, card.neighbours, padded=card.missing_neighbours == "padded")
            for size, channels in zip(before, card.channels, strict=False)
        )

    def encode(self, features: torch.Tensor, momenta: torch.Tensor, ragged: Ragged) -> Encoded:
        """`(B, N, F)`, `(B, N, 4)` → tokens `(B, N, D)`, jet `(B, D)`."""
        tokens = self.input_norm(ragged.flatten(features))
        coordinates = directions(ragged.flatten(momenta))
        for block in self.blocks:
            tokens = block(tokens, coordinates, ragged)
            coordinates = tokens
        return Encoded(ragged.pad(tokens), ragged.sum(tokens) / ragged.restore(ragged.counts)[:, None])


def directions(momenta: torch.Tensor) -> torch.Tensor:
    """Pseudorapidity and azimuth of four-vectors (E, px, py, pz): `(T, 4)` → `(T, 2)`; the axis lies at (0, 0)."""
    _, p_x, p_y, p_z = momenta.unbind(1)
    return torch.stack([torch.asinh(p_z / torch.hypot(p_x, p_y)), torch.atan2(p_y, p_x)], dim=1)
