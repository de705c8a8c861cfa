"""Gather and sum tensors over processes, with gradients, for losses over the joint batch.

Every process computes the same loss of the same joint batch. Backwards, each hands to every other one the gradient of
what it was sent; these are summed, so an embedding gets W times its gradient with W processes, and the average over
processes that DistributedDataParallel takes of parameter gradients makes it the gradient of one process with the
joint batch.

Letters: B rows of a process, W processes, P size of an embedding.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

import torch
from torch import distributed

T = TypeVar("T")


class _Gather(torch.autograd.Function):
    """All-gather whose backward sums over processes; torch's own has no such backward for gloo."""

    @staticmethod
    def forward(context: Any, local: torch.Tensor) -> torch.Tensor:
        context.rows = len(local)
        pieces = [torch.empty_like(local) for _ in range(distributed.get_world_size())]
        distributed.all_gather(pieces, local.contiguous())
        return torch.cat(pieces)

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> torch.Tensor:
        total = gradients[0].contiguous().clone()
        distributed.all_reduce(total)
        start = distributed.get_rank() * context.rows
        return total[start : start + context.rows]


class _Total(torch.autograd.Function):
    """Sum over processes whose backward sums, too."""

    @staticmethod
    def forward(context: Any, local: torch.Tensor) -> torch.Tensor:  # noqa: ARG004
        summed = local.contiguous().clone()
        distributed.all_reduce(summed)
        return summed

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> torch.Tensor:  # noqa: ARG004
        summed = gradients[0].contiguous().clone()
        distributed.all_reduce(summed)
        return summed


def n_processes() -> int:
    """W."""
    together = distributed.is_available() and distributed.is_initialized()
    return distributed.get_world_size() if together else 1


def share(pieces: Sequence[T]) -> Sequence[T]:
    """The pieces of work of this process: every W-th, from its rank on; all of them if there is one process."""
    count = n_processes()
    return pieces if count == 1 else pieces[distributed.get_rank() :: count]


def total(local: torch.Tensor) -> torch.Tensor:
    """Sum over processes of a tensor of any shape, which is the same on all of them."""
    if n_processes() == 1:
        return local
    summed: torch.Tensor = _Total.apply(local)  # type: ignore[no-untyped-call]
    return summed


def gather(local: torch.Tensor) -> torch.Tensor:
    """`(B, ...)` → `(W B, ...)` in the order of the ranks; the tensor itself if there is one process.

    Every process must hold the same number of rows.
    """
    if n_processes() == 1:
        return local
    gathered: torch.Tensor = _Gather.apply(local)  # type: ignore[no-untyped-call]
    return gathered
