"""Jets without their padding: flat rows of real constituents, and buckets of a batch that are padded a little.

Layers that treat constituents one by one work on flat rows. Attention, neighbours and pairs work on buckets of jets
of similar length (length bucketing), each padded to its own longest jet.

How jets lie there depends on their lengths alone. It is worked out on the CPU, when a batch is made, and travels with
the batch, so that no encoder has to ask a device for a length, and wait for the answer. Named tuples, as batches are:
Lightning writes into dataclasses.

Letters: B jets, N constituents, T real constituents of the batch, b jets of a bucket, n its longest jet.
"""

from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import torch
from torch.nn import functional

from jetssl.common.precision import at_least_single

MOST_BUCKETS = 16
"""Largest number of buckets of a batch, and so of threads that work on it."""
JETS_PER_BUCKET = 24
"""Smallest number of jets of a bucket; fewer are not worth the overhead of separate calls,"""
ROWS_PER_BUCKET = 2400
"""unless they have so many constituents together, as jets of cells do: these differ in length tenfold."""


class Bucket(NamedTuple):
    """Jets of similar length; their constituents are consecutive rows of the flat tensors."""

    valid: torch.Tensor
    """bool `(b, n)`, True for the first constituents of each jet"""
    inside: torch.Tensor
    """int64 `(rows,)`, where `valid` is True in `(b * n,)`"""
    lengths: torch.Tensor
    """int64 `(b,)`, constituents of each jet"""
    sizes: tuple[int, ...]
    """the same, without asking the device"""

    def edges(self, count: int, others: int) -> int:
        """Edges of all constituents to `count` of their jet, or to all if it has fewer; less `others` of each jet."""
        return sum(size * min(count, size - others) for size in self.sizes)

    def pairs(self) -> int:
        """Pairs i >= j of all jets."""
        return sum(size * (size + 1) // 2 for size in self.sizes)

    @property
    def starts(self) -> torch.Tensor:
        """First row of each jet, int64 `(b,)`."""
        return self.lengths.cumsum(0) - self.lengths

    def per_row(self, values: torch.Tensor) -> torch.Tensor:
        """The value of its jet for every row: `(b,)` → `(rows,)`."""
        return torch.repeat_interleave(values, self.lengths, output_size=len(self.inside))

    @property
    def full(self) -> bool:
        """Whether nothing is padded."""
        return len(self.inside) == self.valid.numel()

    def to(self, *args: Any, **kwargs: Any) -> "Bucket":
        """The same on another device; arguments of `torch.Tensor.to`."""
        tensors = (self.valid, self.inside, self.lengths)
        valid, inside, lengths = (x.to(*args, **{"non_blocking": True} | kwargs) for x in tensors)
        return Bucket(valid, inside, lengths, self.sizes)

    def pad(self, rows: torch.Tensor) -> torch.Tensor:
        """`(rows, D)` → `(b, n, D)`, 0 outside `valid`."""
        size = self.valid.numel()
        if len(rows) < size:
            rows = rows.new_zeros(size, rows.shape[1]).index_copy_(0, self.inside, rows)
        return rows.view(*self.valid.shape, rows.shape[1])

    def flatten(self, padded: torch.Tensor) -> torch.Tensor:
        """`(b, n, D)` → `(rows, D)`."""
        flat = padded.reshape(self.valid.numel(), padded.shape[2])
        return flat if self.full else functional.embedding(self.inside, flat)


class Ragged(NamedTuple):
    """How the jets of a batch lie in flat tensors: sorted by length, constituents of a jet in their order."""

    shape: tuple[int, int]
    """(B, N)"""
    order: torch.Tensor
    """int64 `(B,)`, the jet of the batch that stands at each place"""
    counts: torch.Tensor
    """int64 `(B,)`, its number of constituents, ascending"""
    jet: torch.Tensor
    """int64 `(T,)`, the place of the jet of each flat row"""
    source: torch.Tensor
    """int64 `(T,)`, where each flat row is in `(B * N,)`"""
    buckets: tuple[Bucket, ...]
    """the buckets of the batch, with about as many rows each"""

    @classmethod
    def of(cls, mask: torch.Tensor) -> "Ragged":
        """Of a batch.

        Args:
            mask: bool `(B, N)`; at least one True per jet, anywhere. On the CPU: elsewhere, this waits for the
                device.
        """
        counts = mask.sum(1)
        order = torch.argsort(counts, stable=True)
        ascending = counts[order]
        jet, position = mask[order].nonzero(as_tuple=True)
        groups = _of_equal_rows(ascending, _number_of_buckets(len(mask), len(jet)))
        buckets = tuple(_bucket(lengths) for lengths in groups)
        n_jets, longest = mask.shape
        return cls((n_jets, longest), order, ascending, jet, order[jet] * longest + position, buckets)

    @property
    def starts(self) -> list[int]:
        """The first flat row of each bucket."""
        return list(accumulate((len(bucket.inside) for bucket in self.buckets[:-1]), initial=0))

    def to(self, *args: Any, **kwargs: Any) -> "Ragged":
        """The same on another device; arguments of `torch.Tensor.to`."""
        names = ("order", "counts", "jet", "source")
        tensors = {name: getattr(self, name).to(*args, **{"non_blocking": True} | kwargs) for name in names}
        return self._replace(**tensors, buckets=tuple(bucket.to(*args, **kwargs) for bucket in self.buckets))

    def flatten(self, padded: torch.Tensor) -> torch.Tensor:
        """Real entries of a batch: `(B, N, D)` → `(T, D)`."""
        return functional.embedding(self.source, padded.reshape(-1, padded.shape[2]))

    def split(self, rows: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The rows of each bucket, of `(T, D)`."""
        return torch.split(rows, [len(bucket.inside) for bucket in self.buckets])

    def pad(self, rows: torch.Tensor) -> torch.Tensor:
        """Back to the batch: `(T, D)` → `(B, N, D)`, 0 where there is nothing."""
        n_jets, longest = self.shape
        padded = rows.new_zeros(n_jets * longest, rows.shape[1]).index_copy_(0, self.source, rows)
        return padded.view(n_jets, longest, rows.shape[1])

    def restore(self, jets: torch.Tensor) -> torch.Tensor:
        """Jets `(B, D)` that are sorted by length, in the order of the batch."""
        return torch.empty_like(jets).index_copy(0, self.order, jets)

    def sum(self, rows: torch.Tensor) -> torch.Tensor:
        """Sums over the constituents of each jet, in the order of the batch: `(T, D)` → `(B, D)`, not in bfloat16."""
        rows = at_least_single(rows)
        return rows.new_zeros(len(self.order), rows.shape[1]).index_add_(0, self.order[self.jet], rows)


def _of_equal_rows(counts: torch.Tensor, number: int) -> list[torch.Tensor]:
    """Ascending numbers of constituents, in up to `number` groups with about the same sum."""
    so_far = counts.cumsum(0)
    ends = torch.searchsorted(so_far, so_far[-1] * torch.arange(1, number, device=counts.device) / number).tolist()
    sizes = [end - start for start, end in pairwise([0, *ends, len(counts)])]
    return [group for group in torch.split(counts, sizes) if len(group)]


def _number_of_buckets(n_jets: int, n_rows: int) -> int:
    """A power of two, which most numbers of threads share equally."""
    most = min(MOST_BUCKETS, max(1, n_jets // JETS_PER_BUCKET, n_rows // ROWS_PER_BUCKET))
    return 1 << (most.bit_length() - 1)


def _bucket(lengths: torch.Tensor) -> Bucket:
    valid = torch.arange(int(lengths[-1]), device=lengths.device) < lengths[:, None]
    return Bucket(valid, valid.flatten().nonzero()[:, 0], lengths, tuple(lengths.tolist()))


def keep_lengths_out_of_graphs() -> None:
    """Count edges and pairs outside the graphs of `torch.compile`, which would be made anew for every set of lengths.

    Not by decorators: these import the compiler, which takes a second that only those who compile should wait.
    """
    for name in ("edges", "pairs"):
        setattr(Bucket, name, torch.compiler.disable(getattr(Bucket, name)))  # type: ignore[no-untyped-call]
