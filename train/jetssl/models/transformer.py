"""Pre-norm transformer encoder over constituents (arXiv:1706.03762; pre-norm: arXiv:2002.04745).

Letters: B jets, N constituents, F features, T real constituents of the batch, b jets of a bucket, n its longest jet,
D model width, H heads.
"""

import torch
from torch import nn

from jetssl.config.encoders import ResimTransformerCard, TransformerCard
from jetssl.data.ragged import Bucket, Ragged
from jetssl.models.attention import Attention, padding_bias
from jetssl.models.dropout import Dropout
from jetssl.models.encoder import Encoded, Encoder
from jetssl.models.parallel import over_buckets


class TransformerBlock(nn.Module):
    """Attention and feed-forward part, each behind a layer norm and beside a skip connection."""

    def __init__(self, card: TransformerCard | ResimTransformerCard) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(card.width)
        self.attention = Attention(card.width, card.heads, card.dropout)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(card.width),
            nn.Linear(card.width, card.expansion * card.width),
            nn.GELU(),
            Dropout(card.dropout),
            nn.Linear(card.expansion * card.width, card.width),
        )
        self.dropout = Dropout(card.dropout)

    def forward(self, rows: torch.Tensor, bucket: Bucket, bias: torch.Tensor | None) -> torch.Tensor:
        """`(T, D)`, bias that broadcasts to `(b, H, n, n)` → `(T, D)`."""
        rows = rows + self.dropout(self.attention(self.attention_norm(rows), bucket, bias))
        result: torch.Tensor = rows + self.dropout(self.feed_forward(rows))
        return result


class Transformer(Encoder):
    """Embedding, blocks, and a jet vector from the tokens; no positions, so the order does not matter.

    Softmax attention and a mean are blind to how many constituents there are, and multiplicity tells gluons from
    quarks; so log N joins the mean before a linear map to the width.

    With the continuous mask of JetCLR (arXiv:2108.04253, sec. 3) a constituent counts by its pT instead: 0.5 ln pT
    is added to the attention logits of its key, and the jet vector is a linear map of the pT-weighted mean token. A
    constituent of pT → 0 then changes nothing, so multiplicity, which is not infrared safe, is left out.

    Args:
        n_features: F.
        card: sizes.
    """

    def __init__(self, n_features: int, card: TransformerCard) -> None:
        super().__init__()
        self.width, self.continuous_mask = card.width, card.continuous_mask
        self.embedding = nn.Sequential(
            nn.Linear(n_features, card.width), nn.GELU(), nn.Linear(card.width, card.width)
        )
        self.blocks = nn.ModuleList(TransformerBlock(card) for _ in range(card.layers))
        self.norm = nn.LayerNorm(card.width)
        self.pool = nn.Linear(card.width + (not card.continuous_mask), card.width)

    def encode(self, features: torch.Tensor, momenta: torch.Tensor, ragged: Ragged) -> Encoded:
        """`(B, N, F)`, `(B, N, 4)` (read by the continuous mask) → tokens, jet `(B, D)`."""
        weights = _pt_fractions(ragged.flatten(momenta), ragged) if self.continuous_mask else None
        biases = _biases(ragged, weights)
        (rows,) = over_buckets(self._tokens, self, ragged, ragged.flatten(features), biases)
        return Encoded(ragged.pad(rows), self.pool(_pool(rows, ragged, weights)))

    def _tokens(self, features: torch.Tensor, bucket: Bucket, bias: torch.Tensor | None) -> tuple[torch.Tensor]:
        """Of a bucket: `(rows, F)`, bias that broadcasts to `(b, H, n, n)` → `(rows, D)`."""
        rows = self.embedding(features)
        for block in self.blocks:
            rows = block(rows, bucket, bias)
        return (self.norm(rows),)


def _pt_fractions(momenta: torch.Tensor, ragged: Ragged) -> torch.Tensor:
    """Share of each constituent in the scalar sum of pT: `(T, 4)` → `(T, 1)`."""
    pt = torch.hypot(momenta[:, 1], momenta[:, 2])[:, None]
    return pt / ragged.sum(pt)[ragged.order[ragged.jet]]


def _biases(ragged: Ragged, weights: torch.Tensor | None) -> list[torch.Tensor | None]:
    """Biases of every bucket: -inf for padding, and half the logarithm of the weights `(T, 1)`."""
    if weights is None:
        return [padding_bias(bucket) for bucket in ragged.buckets]
    pieces = ragged.split(weights)
    return [
        _soft_bias(bucket.pad(piece)[..., 0], bucket.valid)
        for bucket, piece in zip(ragged.buckets, pieces, strict=True)
    ]


def _soft_bias(weights: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """Half the logarithm of the weights, `(b, 1, 1, n)`; -inf outside `valid`.

    At pT = 0 the logarithm stops at that of the smallest number: e^-43 of a constituent that carries the jet is
    nothing in single precision, and a jet of nothing but zeros still has finite weights.
    """
    logarithm = weights.clamp(min=torch.finfo(weights.dtype).tiny).log()
    return (0.5 * logarithm).masked_fill(~valid, -torch.inf)[:, None, None]


def _pool(rows: torch.Tensor, ragged: Ragged, weights: torch.Tensor | None) -> torch.Tensor:
    """`(T, D)` → mean and log count `(B, D + 1)`, or the sum with weights `(T, 1)`, `(B, D)`."""
    if weights is not None:
        return ragged.sum(rows * weights)
    count = ragged.restore(ragged.counts[:, None].to(rows.dtype))
    return torch.cat([ragged.sum(rows) / count, count.log()], dim=1)
