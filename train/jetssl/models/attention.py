"""Multi-head attention with an additive bias (arXiv:1706.03762, eq. 1; the bias: arXiv:2202.03772, eq. 4).

Letters: T real constituents of a bucket, b jets of a bucket, m queries, n keys, D model width, H heads.
"""

import torch
from torch import nn
from torch.nn import functional

from jetssl.data.ragged import Bucket
from jetssl.models.dropout import Dropout


class Attention(nn.Module):
    """Queries, keys and values from one stacked projection, and a projection of the result.

    Args:
        width: D.
        heads: H; divides D.
        dropout: share of the attention weights set to zero while training; in `forward` only.
    """

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj = nn.Linear(width, 3 * width)
        self.out_proj = nn.Linear(width, width)
        self.dropout = Dropout(dropout)

    def forward(
        self,
        rows: torch.Tensor,
        bucket: Bucket,
        bias: torch.Tensor | None,
        scale: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Self-attention within jets; rows are padded only for the products of queries and keys.

        Args:
            rows: `(T, D)`.
            bucket: how the T constituents belong to jets.
            bias: added to the scaled products, broadcasts to `(b, H, n, n)`; -inf where a key is padding.
            scale: `(D,)`, multiplies the result; applied to the weights of the last projection, so it costs nothing.

        Returns:
            `(T, D)`.
        """
        return self._project(self._attend(bucket, self.in_proj(rows), bias), scale)

    def _attend(self, bucket: Bucket, projected: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        """Projected rows of a bucket, `(rows, 3 D)` → `(rows, D)`."""
        query, key, value = self._heads(bucket, projected)
        mixed = self._mix(query, key, value, None if bias is None else bias.to(query.dtype))
        return bucket.flatten(mixed.transpose(1, 2).flatten(2))

    def _heads(self, bucket: Bucket, projected: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Queries, keys and values of a bucket: `(rows, 3 D)` → thrice `(b, H, n, D/H)`."""
        padded = bucket.pad(projected).view(*bucket.valid.shape, 3, self.heads, -1)
        return padded.permute(2, 0, 3, 1, 4).unbind(0)

    def summarize(
        self, query: torch.Tensor, tokens: torch.Tensor, bias: torch.Tensor | None, scale: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Attention of a few queries to many tokens, which are never projected themselves.

        With projections W_Q, W_K, W_V: q·(W_K t) = (W_Kᵀ q)·t, and the weighted mean of W_V t is W_V of the mean; so
        only queries are projected. The bias of the keys adds the same to all products and cancels in the softmax.

        Args:
            query: `(b, m, D)`.
            tokens: `(b, n, D)`, the source of keys and values.
            bias: broadcasts to `(b, 1, m, n)`; -inf where a key is padding.
            scale: `(D,)`, multiplies the result.

        Returns:
            `(b, m, D)`.
        """
        (n_jets, n_queries, width), heads = query.shape, self.heads
        to_query, to_key, to_value = self.in_proj.weight.chunk(3)
        query_offset, _, value_offset = self.in_proj.bias.chunk(3)
        queries = functional.linear(query, to_query, query_offset).view(n_jets, n_queries, heads, -1)
        looking = torch.einsum("bmhd,hdw->bhmw", queries, to_key.view(heads, -1, width)).flatten(1, 2)[:, None]
        if bias is not None:
            bias = bias.to(query.dtype).expand(n_jets, 1, n_queries, -1).repeat(1, 1, heads, 1)
        seen = functional.scaled_dot_product_attention(
            looking, tokens[:, None], tokens[:, None], attn_mask=bias, scale=(width / heads) ** -0.5
        ).view(n_jets, heads, n_queries, width)
        mixed = torch.einsum("bhmw,hdw->bmhd", seen, to_value.view(heads, -1, width)).flatten(2) + value_offset
        return self._project(mixed, scale)

    def _project(self, mixed: torch.Tensor, scale: torch.Tensor | None) -> torch.Tensor:
        if scale is None:
            result: torch.Tensor = self.out_proj(mixed)
            return result
        return functional.linear(mixed, self.out_proj.weight * scale[:, None], self.out_proj.bias * scale)

    def _mix(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, bias: torch.Tensor | None
    ) -> torch.Tensor:
        """Thrice `(b, H, n, D/H)`, a bias of the same dtype → `(b, H, n, D/H)`.

        torch 2.13 misreads a bias of another dtype than the queries, without an error.
        """
        if not self.training or self.dropout.dropped == 0:
            return functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        # torch's own function draws a double for every attention weight, which is slow.
        products = torch.baddbmm(
            query.new_zeros(1) if bias is None else bias.expand(*query.shape[:3], key.shape[2]).flatten(0, 1),
            query.flatten(0, 1),
            key.flatten(0, 1).transpose(1, 2),
            alpha=query.shape[3] ** -0.5,
        )
        weights = self.dropout(functional.softmax(products, dim=2))
        return torch.bmm(weights, value.flatten(0, 1)).view(query.shape)


def padding_bias(bucket: Bucket, more: int = 0) -> torch.Tensor | None:
    """Bias that hides padded keys of a bucket behind `more` other ones.

    Returns:
        float32 `(b, 1, 1, more + n)`, 0 or -inf; None if nothing is padded.
    """
    if bucket.full:
        return None
    valid = functional.pad(bucket.valid, (more, 0), value=True)
    return torch.zeros(valid.shape, device=valid.device).masked_fill(~valid, -torch.inf)[:, None, None]
