"""Pre-norm transformer encoder over constituents (arXiv:1706.03762; pre-norm: arXiv:2002.04745).

Letters: B jets, N constituents, F features, b jets of a part, n its longest jet, D model width, H heads.
"""

import torch
from torch import nn

from jetssl.config import TransformerCard
from jetssl.models.attention import Attention, padding_bias
from jetssl.models.dropout import Dropout
from jetssl.models.encoder import Encoded, Encoder
from jetssl.models.ragged import Part, Ragged


class Block(nn.Module):
    """Attention and feed-forward part, each behind a layer norm and beside a skip connection."""

    def __init__(self, card: TransformerCard) -> None:
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

    def forward(self, tokens: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        """`(b, n, D)`, bias that broadcasts to `(b, H, n, n)` → `(b, n, D)`."""
        normed = self.attention_norm(tokens)
        tokens = tokens + self.dropout(self.attention(normed, normed, bias))
        result: torch.Tensor = tokens + self.dropout(self.feed_forward(tokens))
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
        self.blocks = nn.ModuleList(Block(card) for _ in range(card.layers))
        self.norm = nn.LayerNorm(card.width)
        self.pool = nn.Linear(card.width + (not card.continuous_mask), card.width)

    def forward(self, features: torch.Tensor, momenta: torch.Tensor, mask: torch.Tensor) -> Encoded:
        """`(B, N, F)`, `(B, N, 4)` (read by the continuous mask), bool `(B, N)` → tokens, jet `(B, D)`."""
        ragged = Ragged(mask)
        rows = ragged.split(self.embedding(ragged.flatten(features)))
        momentum_rows = ragged.split(ragged.flatten(momenta))
        encoded = [self._encode(*arguments) for arguments in zip(ragged.parts, rows, momentum_rows, strict=True)]
        tokens, pooled = (torch.cat(results) for results in zip(*encoded, strict=True))
        return Encoded(ragged.pad(tokens), self.pool(ragged.restore(pooled)))

    def _encode(self, part: Part, rows: torch.Tensor, momenta: torch.Tensor) -> Encoded:
        """Flat tokens and pooled tokens of a part."""
        weights = _pt_fractions(part.pad(momenta)) if self.continuous_mask else None
        bias = padding_bias(part.valid) if weights is None else _soft_bias(weights, part.valid)
        tokens = part.pad(rows)
        for block in self.blocks:
            tokens = block(tokens, bias)
        tokens = self.norm(tokens)
        return Encoded(part.flatten(tokens), _pool(tokens, part.valid, weights))


def _pt_fractions(momenta: torch.Tensor) -> torch.Tensor:
    """Share of each constituent in the scalar sum of pT: `(b, n, 4)` → `(b, n)`."""
    pt = torch.hypot(momenta[..., 1], momenta[..., 2])
    return pt / pt.sum(1, keepdim=True)


def _soft_bias(weights: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """Half the logarithm of the weights, `(b, 1, 1, n)`; -inf outside `valid`.

    At pT = 0 the logarithm stops at that of the smallest number: e^-43 of a constituent that carries the jet is
    nothing in single precision, and a jet of nothing but zeros still has finite weights.
    """
    logarithm = weights.clamp(min=torch.finfo(weights.dtype).tiny).log()
    return (0.5 * logarithm).masked_fill(~valid, -torch.inf)[:, None, None]


def _pool(tokens: torch.Tensor, valid: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
    """`(b, n, D)` → mean and log count `(b, D + 1)`, or weighted mean `(b, D)`."""
    if weights is not None:
        return (weights[:, None] @ tokens)[:, 0]
    count = valid.sum(1, keepdim=True).to(tokens.dtype)
    mean = (valid[:, None].to(tokens.dtype) @ tokens)[:, 0] / count
    return torch.cat([mean, count.log()], dim=1)
