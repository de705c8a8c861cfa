"""Edge convolution over nearest neighbours (arXiv:1801.07829), without padding.

Letters: T real constituents of a batch, C channels, K neighbours, E edges, b jets of a bucket, n its longest jet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import nn
from torch.nn import functional

from jetssl.common.collectives import n_processes
from jetssl.common.precision import at_least_single
from jetssl.models.batch_norm import BatchNorm
from jetssl.models.ragged import Bucket, Ragged


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest constituents of the same jet."""

    index: torch.Tensor
    """int64 `(T, K)`, flat rows; where one is missing, the first again (a maximum then needs no mask), or any"""
    exists: torch.Tensor
    """bool `(T, K)`; False where the jet has too few constituents"""


def nearest(coordinates: torch.Tensor, ragged: Ragged, count: int, *, with_self: bool) -> Neighbours:
    """The `count` nearest constituents of each, from coordinates `(T, C)` of a batch; see `nearest_in_bucket`."""
    buckets = zip(ragged.buckets, ragged.split(coordinates), strict=True)
    found = [nearest_in_bucket(bucket, rows, count, with_self=with_self) for bucket, rows in buckets]
    index = torch.cat([near.index + start for near, start in zip(found, ragged.starts, strict=True)])
    return Neighbours(index, torch.cat([near.exists for near in found]))


def nearest_in_bucket(bucket: Bucket, coordinates: torch.Tensor, count: int, *, with_self: bool) -> Neighbours:
    """The `count` nearest constituents of each, by Euclidean distance.

    Args:
        bucket: how the T constituents belong to jets.
        coordinates: `(T, C)`.
        count: K.
        with_self: whether a constituent is its own nearest neighbour.
    """
    padded = at_least_single(bucket.pad(coordinates.detach()))
    with torch.autocast(padded.device.type, enabled=False):
        distance = torch.cdist(padded, padded)
    distance = distance.masked_fill(~bucket.valid[:, None], torch.inf)
    # Of two constituents at the same place, each must find itself first (with_self), or the other one (without).
    distance.diagonal(dim1=1, dim2=2).fill_(-1.0 if with_self else torch.inf)
    n = distance.shape[2]
    near, place = distance.topk(min(count, n), dim=2, largest=False)
    lengths = bucket.valid.sum(1)
    start = (lengths.cumsum(0) - lengths)[:, None, None]
    missing = count - near.shape[2]
    index = functional.pad(place + start, (0, missing))[bucket.valid]
    exists = functional.pad(near.isfinite(), (0, missing), value=False)[bucket.valid]
    first = index[:, :1].masked_fill(~exists[:, :1], 0)
    return Neighbours(index.where(exists, first), exists)


class EdgeConvolution(nn.Module):
    """Messages from neighbours: a perceptron of (x_i, x_j - x_i), aggregated over j.

    The first linear layer acts on constituents instead of edges: W (x_i, x_j - x_i) = (W_1 - W_2) x_i + W_2 x_j. With
    one layer and a maximum even the activation does, for it is monotonic.

    Args:
        channels: sizes of the perceptron, input first.
        activation: after every layer; must be monotonic.
        batch_norm: between every (then bias-free) layer and its activation, over the edges that exist.
        aggregation: over neighbours; 0 for a constituent without any.
    """

    def __init__(
        self,
        channels: Sequence[int],
        activation: type[nn.Module],
        *,
        batch_norm: bool,
        aggregation: Literal["mean", "max"],
    ) -> None:
        super().__init__()
        self.first = nn.Linear(2 * channels[0], channels[1], bias=not batch_norm)
        rest: list[nn.Module] = []
        for before, after in pairwise((channels[1], *channels[1:])):
            linear = [nn.Linear(before, after, bias=not batch_norm)] if rest else []
            rest += [*linear, *([BatchNorm(after)] if batch_norm else []), activation()]
        self.rest = nn.Sequential(*rest)
        self.aggregation, self.channels = aggregation, channels[-1]
        self._commutes = aggregation == "max" and len(channels) == 2 and not batch_norm

    def forward(self, values: torch.Tensor, near: Neighbours) -> torch.Tensor:
        """`(T, C)` → `(T, C')`."""
        own, other = self.first.weight.chunk(2, dim=1)
        centre = functional.linear(values, own - other, self.first.bias)
        sent = functional.linear(values, other)
        if self._commutes:
            best = functional.embedding(near.index, sent).max(1).values
            result: torch.Tensor = self.rest(centre + best)
            return result.where(near.exists.any(1, keepdim=True), 0)
        return self._aggregate(self._messages(centre, sent, near), near.exists)

    def _messages(self, centre: torch.Tensor, sent: torch.Tensor, near: Neighbours) -> torch.Tensor:
        """Messages `(T, K, C')`, 0 where there is no neighbour; only existing edges are computed."""
        if bool(near.exists.all()):
            edges = (centre[:, None] + functional.embedding(near.index, sent)).flatten(0, 1)
            dense: torch.Tensor = self.rest(edges).view(*near.index.shape, -1)
            return dense
        place = near.exists.flatten().nonzero()[:, 0]
        receiver = place // near.index.shape[1]
        edges = functional.embedding(receiver, centre) + functional.embedding(near.index[near.exists], sent)
        # Other processes may have edges, and wait for this one in their batch norms.
        skipped = len(edges) == 0 and n_processes() == 1
        messages = edges.new_zeros(0, self.channels) if skipped else self.rest(edges)
        filled: torch.Tensor = messages.new_zeros(near.exists.numel(), messages.shape[1]).index_copy(
            0, place, messages
        )
        return filled.view(*near.index.shape, -1)

    def _aggregate(self, messages: torch.Tensor, exists: torch.Tensor) -> torch.Tensor:
        """`(T, K, C')`, bool `(T, K)` → `(T, C')`, 0 without neighbours."""
        if self.aggregation == "mean":
            return messages.sum(1) / exists.sum(1, keepdim=True).clamp(min=1)
        if not bool(exists.all()):
            messages = messages.masked_fill(~exists[..., None], -torch.inf)
        best = messages.max(1).values
        return best.where(exists.any(1, keepdim=True), 0)
