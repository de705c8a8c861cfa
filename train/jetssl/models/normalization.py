"""Input features with mean 0 and spread 1, as the constituents of the training split have them.

Letters: B jets, N constituents, F features, T real constituents.
"""

from collections.abc import Iterable, Mapping

import torch

from jetssl.common.collectives import total
from jetssl.data.ragged import Ragged
from jetssl.data.tensors import JetBatch
from jetssl.models.encoder import Encoded, Encoder


class Normalized(Encoder):
    """An encoder behind (feature - mean) / spread; both are buffers, so they travel with its weights.

    Args:
        encoder: what is behind.
        n_features: F.
    """

    def __init__(self, encoder: Encoder, n_features: int) -> None:
        super().__init__()
        self.width, self.encoder = encoder.width, encoder
        self.mean: torch.Tensor
        self.spread: torch.Tensor
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("spread", torch.ones(n_features))

    def encode(self, features: torch.Tensor, momenta: torch.Tensor, ragged: Ragged) -> Encoded:
        """`(B, N, F)`, `(B, N, 4)` → tokens, jet `(B, D)`."""
        return self.encoder.encode(self.normalize(features), momenta, ragged)

    def normalize(self, features: torch.Tensor) -> torch.Tensor:
        """(feature - mean) / spread: `(..., F)`."""
        return (features - self.mean) / self.spread

    def depths(self) -> Mapping[str, int]:
        """Those of the encoder behind."""
        return {f"encoder.{name}": depth for name, depth in self.encoder.depths().items()}

    @torch.no_grad()
    def fit(self, batches: Iterable[JetBatch]) -> None:
        """Take mean and spread over the constituents of some batches of all processes.

        A feature that never changes is only shifted.
        """
        moments = torch.zeros(3, len(self.mean), dtype=torch.float64)  # number, sum, sum of squares
        for batch in batches:
            values = batch.features[batch.mask].double()
            moments += torch.stack([torch.ones_like(values), values, values.square()]).sum(1)
        count, *sums = total(moments)
        mean, square = (moment / count for moment in sums)
        spread = (square - mean.square()).clamp(min=0).sqrt()
        self.mean.copy_(mean)
        # The spread of a constant is not exactly 0, because of rounding.
        self.spread.copy_(torch.where(spread > 1e-6 * square.sqrt(), spread, 1))

    def adopt(self, other: Encoder) -> None:
        """Take mean and spread from an encoder that has them."""
        if isinstance(other, Normalized):
            self.mean.copy_(other.mean)
            self.spread.copy_(other.spread)
