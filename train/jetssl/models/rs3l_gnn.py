"""The graph network of RS3L (arXiv:2403.07066): three dynamic edge convolutions and a sum over constituents.

Letters: B jets, N constituents, F features, T real constituents of the batch, D model width.
"""

import torch
from torch import nn

from jetssl.config.encoders import Rs3lGnnCard
from jetssl.data.ragged import Bucket, Ragged
from jetssl.models.edge_convolution import EdgeConvolution, nearest_in_bucket
from jetssl.models.encoder import Encoded, Encoder
from jetssl.models.parallel import over_buckets


class Rs3lGnn(Encoder):
    """Two linear layers with ELU, edge convolutions with a maximum over neighbours (itself among them), a sum.

    There is no normalization anywhere; the sum carries the multiplicity.

    Args:
        n_features: F.
        card: sizes.
    """

    stack = "convolutions"

    def __init__(self, n_features: int, card: Rs3lGnnCard) -> None:
        super().__init__()
        self.width, self.neighbours = card.width, card.neighbours
        self.embedding = nn.Sequential(
            nn.Linear(n_features, card.width), nn.ELU(), nn.Linear(card.width, card.width), nn.ELU()
        )
        self.convolutions = nn.ModuleList(
            EdgeConvolution((card.width, card.width), nn.ELU, batch_norm=False, aggregation="max")
            for _ in range(card.layers)
        )

    def encode(self, features: torch.Tensor, momenta: torch.Tensor, ragged: Ragged) -> Encoded:  # noqa: ARG002
        """`(B, N, F)`, `(B, N, 4)` (not used) → tokens `(B, N, D)`, jet `(B, D)`."""
        (tokens,) = over_buckets(self._tokens, self, ragged, ragged.flatten(features))
        return Encoded(ragged.pad(tokens), ragged.sum(tokens))

    def _tokens(self, features: torch.Tensor, bucket: Bucket) -> tuple[torch.Tensor]:
        """Of a bucket: `(rows, F)` → `(rows, D)`."""
        tokens = self.embedding(features)
        for convolution in self.convolutions:
            tokens = convolution(tokens, nearest_in_bucket(bucket, tokens, self.neighbours, with_self=True))
        return (tokens,)
