"""Pre-norm transformer encoder over constituents (arXiv:1706.03762; pre-norm: arXiv:2002.04745).

Letters: B jets, N constituents, F features, D model width, H heads.
"""

import torch
from torch import nn
from torch.nn import functional

from jetssl.config import EncoderCard
from jetssl.models.encoder import Encoded, Encoder


class SelfAttention(nn.Module):
    """Multi-head self-attention in which padding is never a key."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query_key_value = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)

    def forward(self, tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """`(B, N, D)`, bool `(B, N)` → `(B, N, D)`."""
        n_jets, n_tokens, width = tokens.shape
        split = self.query_key_value(tokens).view(n_jets, n_tokens, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask[:, None, None, :])
        result: torch.Tensor = self.output(mixed.transpose(1, 2).reshape(n_jets, n_tokens, width))
        return result


class Block(nn.Module):
    """Attention and feed-forward part, each behind a layer norm and beside a skip connection."""

    def __init__(self, width: int, heads: int, expansion: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = SelfAttention(width, heads)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, expansion * width),
            nn.GELU(),
            nn.Linear(expansion * width, width),
        )

    def forward(self, tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """`(B, N, D)`, bool `(B, N)` → `(B, N, D)`."""
        tokens = tokens + self.attention(self.attention_norm(tokens), mask)
        result: torch.Tensor = tokens + self.feed_forward(tokens)
        return result


class Transformer(Encoder):
    """Embedding, blocks, and a jet vector from the mean token and the number of constituents.

    Softmax attention and a mean are blind to how many constituents there are, and multiplicity tells gluons from
    quarks; so log N joins the mean before a linear map to the width. No positions: the result does not depend on
    the order of constituents.

    Args:
        n_features: F.
        card: sizes.
    """

    def __init__(self, n_features: int, card: EncoderCard) -> None:
        super().__init__()
        self.width = card.width
        self.embedding = nn.Sequential(
            nn.Linear(n_features, card.width), nn.GELU(), nn.Linear(card.width, card.width)
        )
        self.blocks = nn.ModuleList(Block(card.width, card.heads, card.expansion) for _ in range(card.layers))
        self.norm = nn.LayerNorm(card.width)
        self.pool = nn.Linear(card.width + 1, card.width)

    def forward(self, features: torch.Tensor, momenta: torch.Tensor, mask: torch.Tensor) -> Encoded:  # noqa: ARG002
        """`(B, N, F)`, `(B, N, 4)` (not used), bool `(B, N)` → tokens `(B, N, D)`, jet `(B, D)`."""
        tokens = self.embedding(features)
        for block in self.blocks:
            tokens = block(tokens, mask)
        tokens = self.norm(tokens) * mask[..., None]
        count = mask.sum(1, keepdim=True).to(tokens.dtype)
        jet = self.pool(torch.cat([tokens.sum(1) / count, count.log()], dim=1))
        return Encoded(tokens, jet)
