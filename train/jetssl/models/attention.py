"""Multi-head attention with an additive bias (arXiv:1706.03762, eq. 1; the bias: arXiv:2202.03772, eq. 4).

Letters: b jets, m queries, n keys, D model width, H heads.
"""

import torch
from torch import nn
from torch.nn import functional

from jetssl.models.dropout import Dropout


class Attention(nn.Module):
    """Queries, keys and values from one stacked projection, and a projection of the result.

    Args:
        width: D.
        heads: H; divides D.
        dropout: share of the attention weights set to zero while training.
    """

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj = nn.Linear(width, 3 * width)
        self.out_proj = nn.Linear(width, width)
        self.dropout = Dropout(dropout)

    def forward(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        bias: torch.Tensor | None,
        scale: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Mix the values of `key` for every query.

        Args:
            query: `(b, m, D)`.
            key: `(b, n, D)`, the source of keys and values; `query` itself for self-attention.
            bias: added to the scaled products, broadcasts to `(b, H, m, n)`; -inf where a key is padding.
            scale: `(D,)`, multiplies the result; it costs nothing, as the last projection takes it on.

        Returns:
            `(b, m, D)`.
        """
        width = query.shape[2]
        if query is key:
            projected = self.in_proj(query).chunk(3, dim=2)
        else:
            weight, offset = self.in_proj.weight, self.in_proj.bias
            projected = (
                functional.linear(query, weight[:width], offset[:width]),
                *functional.linear(key, weight[width:], offset[width:]).chunk(2, dim=2),
            )
        queries, keys, values = (part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in projected)
        mixed = self._mix(queries, keys, values, bias)
        mixed = mixed.transpose(1, 2).flatten(2)
        if scale is None:
            result: torch.Tensor = self.out_proj(mixed)
            return result
        return functional.linear(mixed, self.out_proj.weight * scale[:, None], self.out_proj.bias * scale)

    def _mix(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, bias: torch.Tensor | None
    ) -> torch.Tensor:
        """`(b, H, m, D/H)`, twice `(b, H, n, D/H)` → `(b, H, m, D/H)`."""
        # torch 2.13 reads a bias of another dtype than the queries as if it were of theirs, without a word.
        bias = None if bias is None else bias.to(query.dtype)
        if not self.training or self.dropout.dropped == 0:
            return functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        # torch's own function would draw a double for every attention weight.
        scale, shape = query.shape[3] ** -0.5, (*query.shape[:3], key.shape[2])
        products = torch.baddbmm(
            query.new_zeros(1) if bias is None else bias.expand(shape).flatten(0, 1),
            query.flatten(0, 1),
            key.flatten(0, 1).transpose(1, 2),
            alpha=scale,
        )
        weights = self.dropout(functional.softmax(products, dim=2))
        return (weights @ value.flatten(0, 1)).view(query.shape)


def padding_bias(valid: torch.Tensor) -> torch.Tensor | None:
    """Bias that hides padded keys, `(b, n)` → `(b, 1, 1, n)`; None if nothing is padded."""
    if bool(valid.all()):
        return None
    return torch.zeros(valid.shape, device=valid.device).masked_fill(~valid, -torch.inf)[:, None, None]
