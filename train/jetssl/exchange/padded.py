"""Encoders on padded jets: the same weights in a graph whose shapes depend on nothing but the size of the batch.

Where jets lie without their padding (`jetssl.data.ragged`), shapes depend on the lengths of jets, which no exported
graph can know. Here every place of a padded batch is a row, real or not, and masks keep what is not real out of
attention, neighbours, pairs and sums.

Letters: B jets, N constituents, F features, D model width, H heads, K neighbours.
"""

from copy import deepcopy

import torch
from torch import nn
from torch.nn import functional

from jetssl.common.precision import at_least_single
from jetssl.data.ragged import Bucket, Ragged
from jetssl.models.edge_convolution import EdgeConvolution, Neighbours
from jetssl.models.encoder import Encoded, Encoder
from jetssl.models.normalization import Normalized
from jetssl.models.omnilearned import OmniLearned
from jetssl.models.pair_features import PairEmbedding
from jetssl.models.particlenet import EdgeConvolutionBlock
from jetssl.models.rs3l_gnn import Rs3lGnn


class PaddedBucket(Bucket):
    """All jets of a batch, each of N rows."""

    @property
    def full(self) -> bool:
        """False: padding must be hidden."""
        return False

    @property
    def starts(self) -> torch.Tensor:
        """First row of each jet, int64 `(B,)`."""
        n_jets, longest = self.valid.shape
        return torch.arange(n_jets, device=self.valid.device) * longest

    def per_row(self, values: torch.Tensor) -> torch.Tensor:
        """The value of its jet for every row: `(B,)` → `(B N,)`."""
        return values[:, None].expand(self.valid.shape).flatten()

    def edges(self, count: int, others: int) -> int:  # noqa: ARG002
        """Not counted: who needs to know is not exported."""
        return 0

    def pad(self, rows: torch.Tensor) -> torch.Tensor:
        """`(B N, D)` → `(B, N, D)`."""
        return rows.view(*self.valid.shape, rows.shape[1])

    def flatten(self, padded: torch.Tensor) -> torch.Tensor:
        """`(B, N, D)` → `(B N, D)`."""
        return padded.flatten(0, 1)


class Padded(Ragged):
    """Every place of a batch as a row, in one bucket."""

    @classmethod
    def of(cls, mask: torch.Tensor) -> "Padded":
        """Of a batch, from its mask, bool `(B, N)`."""
        n_jets, longest = mask.shape
        counts, jets = mask.sum(1), torch.arange(n_jets, device=mask.device)
        places = torch.arange(n_jets * longest, device=mask.device)
        bucket = PaddedBucket(mask, places, counts, ())
        return cls((n_jets, longest), jets, counts, bucket.per_row(jets), places, (bucket,))

    @property
    def starts(self) -> list[int]:
        """The first row of the bucket."""
        return [0]

    def flatten(self, padded: torch.Tensor) -> torch.Tensor:
        """`(B, N, D)` → `(B N, D)`."""
        return padded.flatten(0, 1)

    def split(self, rows: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """All rows, `(B N, D)`, are of one bucket."""
        return (rows,)

    def pad(self, rows: torch.Tensor) -> torch.Tensor:
        """`(B N, D)` → `(B, N, D)`, 0 outside the mask."""
        (bucket,) = self.buckets
        return bucket.pad(rows).masked_fill(~bucket.valid[:, :, None], 0)

    def restore(self, jets: torch.Tensor) -> torch.Tensor:
        """They are in the order of the batch."""
        return jets

    def sum(self, rows: torch.Tensor) -> torch.Tensor:
        """Sums over the constituents of each jet: `(B N, D)` → `(B, D)`."""
        return self.pad(at_least_single(rows)).sum(1)


class PaddedPairs:
    """All N² pairs of every jet, as `pair_features.ConstituentPairs` are those of real constituents."""

    def __init__(self, valid: torch.Tensor) -> None:
        self.valid = valid

    def fill(self, values: torch.Tensor) -> torch.Tensor:
        """Values of the pairs `(B N N, H)` → bias `(B, H, N, N)`, -inf for padded keys."""
        n_jets, n = self.valid.shape
        bias = values.view(n_jets, n, n, -1).permute(0, 3, 1, 2)
        return bias.masked_fill(~self.valid[:, None, None], -torch.inf)


class PaddedPairEmbedding(nn.Module):
    """The perceptron of a `PairEmbedding`, on all pairs."""

    def __init__(self, real: PairEmbedding) -> None:
        super().__init__()
        self.embed, self.compute = real.embed, real.compute

    def forward(self, momenta: torch.Tensor, layout: Padded) -> list[tuple[PaddedPairs, torch.Tensor]]:
        """Pairs, and their values `(B N N, H)`, from momenta `(B N, 4)`."""
        n_jets, n = layout.shape
        rows = torch.arange(n_jets * n, device=momenta.device).view(n_jets, n)
        first = rows[:, :, None].expand(-1, -1, n).flatten()
        second = rows[:, None, :].expand(-1, n, -1).flatten()
        values = self.embed(self.compute(momenta, first, second))
        return [(PaddedPairs(layout.buckets[0].valid), values)]


class PaddedEdgeConvolution(nn.Module):
    """An `EdgeConvolution` that takes means, with messages of all K places.

    Where a neighbour is missing, the message does not count, or it is that of x_j = 0 if the convolution is `padded`.
    """

    def __init__(self, real: EdgeConvolution) -> None:
        super().__init__()
        self.first, self.rest, self.padded = real.first, real.rest, real.padded

    def forward(self, values: torch.Tensor, near: Neighbours) -> torch.Tensor:
        """`(B N, C)` → `(B N, C')`."""
        own, other = self.first.weight.chunk(2, dim=1)
        centre, sent = functional.linear(values, own - other, self.first.bias), functional.linear(values, other)
        received, exists = functional.embedding(near.index, sent), near.exists[:, :, None]
        if self.padded:
            received = received.masked_fill(~exists, 0)
        edges = (centre[:, None] + received).flatten(0, 1)
        messages: torch.Tensor = self.rest(edges).view(*near.index.shape, -1)
        if self.padded:
            return messages.mean(1)
        return messages.masked_fill(~exists, 0).sum(1) / exists.sum(1).clamp(min=1)


class PaddedEncoder(nn.Module):
    """An encoder as a plain module of tensors, for `torch.export` and ONNX.

    Args:
        encoder: stays as it is; weights are copied.
    """

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = deepcopy(encoder).eval()
        inner = self.encoder.encoder if isinstance(self.encoder, Normalized) else self.encoder
        self.more_places = inner.neighbours if isinstance(inner, Rs3lGnn | OmniLearned) else 0
        for name, module in list(inner.named_modules()):
            if isinstance(module, PairEmbedding):
                inner.set_submodule(name, PaddedPairEmbedding(module))
            elif isinstance(module, EdgeConvolutionBlock):
                module.set_submodule("messages", PaddedEdgeConvolution(module.messages))
                self.more_places = module.count

    def forward(
        self, features: torch.Tensor, momenta: torch.Tensor, mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Jet vectors `(B, D)` and tokens `(B, N, D)`, 0 outside the mask.

        Args:
            features: `(B, N, F)`; finite outside the mask, too.
            momenta: `(B, N, 4)`, (E, px, py, pz) in GeV seen from the jet axis; finite outside the mask, too.
            mask: bool `(B, N)`, at least one True per jet.
        """
        longest, more = mask.shape[1], self.more_places
        if more:  # as many places as neighbours are looked for, whatever N is
            features, momenta = (functional.pad(x, (0, 0, 0, more)) for x in (features, momenta))
            mask = functional.pad(mask, (0, more))
        encoded: Encoded = self.encoder.encode(features, momenta, Padded.of(mask))
        return encoded.jet, encoded.tokens[:, :longest]
