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
from jetssl.common.precision import at_least_single, no_autocast
from jetssl.data.ragged import Bucket, Ragged
from jetssl.models.batch_norm import BatchNorm


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest constituents of the same jet."""

    index: torch.Tensor
    """int64 `(T, K)`, flat rows; where one is missing, the first again (a maximum then needs no mask), or any"""
    exists: torch.Tensor
    """bool `(T, K)`; False where the jet has too few constituents, always behind those that exist"""
    n_edges: int
    """how many exist, without asking the device"""


def nearest(coordinates: torch.Tensor, ragged: Ragged, count: int, *, with_self: bool) -> Neighbours:
    """The `count` nearest constituents of each, from coordinates `(T, C)` of a batch; see `nearest_in_bucket`."""
    buckets = zip(ragged.buckets, ragged.split(coordinates), strict=True)
    found = [nearest_in_bucket(bucket, rows, count, with_self=with_self) for bucket, rows in buckets]
    index = torch.cat([near.index + start for near, start in zip(found, ragged.starts, strict=True)])
    return Neighbours(index, torch.cat([near.exists for near in found]), sum(near.n_edges for near in found))


def nearest_in_bucket(bucket: Bucket, coordinates: torch.Tensor, count: int, *, with_self: bool) -> Neighbours:
    """The `count` nearest constituents of each, by Euclidean distance.

    Args:
        bucket: how the T constituents belong to jets.
        coordinates: `(T, C)`.
        count: K.
        with_self: whether a constituent is its own nearest neighbour.
    """
    padded = at_least_single(bucket.pad(coordinates.detach()))
    with no_autocast(padded.device):
        distance = torch.cdist(padded, padded)
    distance = distance.masked_fill(~bucket.valid[:, None], torch.inf)
    # Of two constituents at the same place, each must find itself first (with_self), or the other one (without).
    n = distance.shape[2]
    itself = torch.eye(n, dtype=torch.bool, device=distance.device)
    distance = distance.masked_fill_(itself, -1.0 if with_self else torch.inf)
    place = distance.topk(min(count, n), dim=2, largest=False).indices
    index = bucket.flatten(functional.pad(place + bucket.starts[:, None, None], (0, count - place.shape[2])))
    others = 0 if with_self else 1
    in_jet = bucket.per_row(bucket.lengths - others)
    exists = torch.arange(count, device=index.device) < in_jet[:, None]
    first = index[:, :1].masked_fill(~exists[:, :1], 0)
    return Neighbours(index.where(exists, first), exists, bucket.edges(count, others))


def _edges(near: Neighbours) -> tuple[torch.Tensor, torch.Tensor]:
    """Of each edge that exists, its receiver and its place in `near.index.flatten()`, int64 `(E,)` each."""
    of_row = near.exists.sum(1)
    rows = torch.arange(len(of_row), device=of_row.device)
    receiver = torch.repeat_interleave(rows, of_row, output_size=near.n_edges)
    number = torch.arange(near.n_edges, device=of_row.device) - (of_row.cumsum(0) - of_row)[receiver]
    return receiver, receiver * near.index.shape[1] + number


class EdgeConvolution(nn.Module):
    """Messages from neighbours: a perceptron of (x_i, x_j - x_i), aggregated over j.

    The first linear layer acts on constituents instead of edges: W (x_i, x_j - x_i) = (W_1 - W_2) x_i + W_2 x_j. With
    one layer and a maximum even the activation does, for it is monotonic.

    Args:
        channels: sizes of the perceptron, input first.
        activation: after every layer; must be monotonic.
        batch_norm: between every (then bias-free) layer and its activation, over the edges that exist.
        aggregation: over neighbours; 0 for a constituent without any.
        padded: whether missing neighbours count as zeros, x_j = 0, as they do where batches are padded (weaver-core).
    """

    def __init__(
        self,
        channels: Sequence[int],
        activation: type[nn.Module],
        *,
        batch_norm: bool,
        aggregation: Literal["mean", "max"],
        padded: bool = False,
    ) -> None:
        super().__init__()
        self.first = nn.Linear(2 * channels[0], channels[1], bias=not batch_norm)
        rest: list[nn.Module] = []
        for before, after in pairwise((channels[1], *channels[1:])):
            linear = [nn.Linear(before, after, bias=not batch_norm)] if rest else []
            rest += [*linear, *([BatchNorm(after)] if batch_norm else []), activation()]
        self.rest = nn.Sequential(*rest)
        self.aggregation, self.channels, self.padded = aggregation, channels[-1], padded
        self._commutes = aggregation == "max" and len(channels) == 2 and not batch_norm and not padded

    def forward(self, values: torch.Tensor, near: Neighbours) -> torch.Tensor:
        """`(T, C)` → `(T, C')`."""
        own, other = self.first.weight.chunk(2, dim=1)
        centre = functional.linear(values, own - other, self.first.bias)
        sent = functional.linear(values, other)
        if self._commutes:
            best = functional.embedding(near.index, sent).max(1).values
            result: torch.Tensor = self.rest(centre + best)
            return result.where(near.exists.any(1, keepdim=True), 0)
        return self._aggregate(self._messages(centre, sent, near), near)

    def _messages(self, centre: torch.Tensor, sent: torch.Tensor, near: Neighbours) -> torch.Tensor:
        """Messages `(T, K, C')`, 0 without a neighbour; only existing edges are computed, or all if padded."""
        if self.padded or near.n_edges == near.exists.numel():
            received = functional.embedding(near.index, sent)
            if near.n_edges < near.exists.numel():
                received = received.masked_fill(~near.exists[..., None], 0)
            edges = (centre[:, None] + received).flatten(0, 1)
            dense: torch.Tensor = self.rest(edges).view(*near.index.shape, -1)
            return dense
        receiver, place = _edges(near)
        edges = functional.embedding(receiver, centre) + functional.embedding(near.index.flatten()[place], sent)
        # Other processes may have edges, and wait for this one in their batch norms.
        skipped = len(edges) == 0 and n_processes() == 1
        messages = edges.new_zeros(0, self.channels) if skipped else self.rest(edges)
        filled: torch.Tensor = messages.new_zeros(near.exists.numel(), messages.shape[1]).index_copy(
            0, place, messages
        )
        return filled.view(*near.index.shape, -1)

    def _aggregate(self, messages: torch.Tensor, near: Neighbours) -> torch.Tensor:
        """`(T, K, C')` → `(T, C')`, 0 without neighbours."""
        exists = torch.ones_like(near.exists) if self.padded else near.exists
        if self.aggregation == "mean":
            return messages.sum(1) / exists.sum(1, keepdim=True).clamp(min=1)
        if near.n_edges < exists.numel() and not self.padded:
            messages = messages.masked_fill(~exists[..., None], -torch.inf)
        best = messages.max(1).values
        return best.where(exists.any(1, keepdim=True), 0)
