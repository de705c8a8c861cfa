"""Buckets of a batch in parallel on the CPU: each thread takes some through many layers, forwards and backwards.

torch's own threads share each single operation and wait for each other at its end. If they sleep while they wait,
that takes a third of a training step; if they spin, any other program halts them. Here they wait twice a step.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, reduce
from itertools import chain
from threading import Barrier
from typing import Any, TypeVar

import torch
from torch import nn
from torch.autograd.function import once_differentiable

from jetssl.data.ragged import Ragged
from jetssl.models.dropout import draw_seeds, drawn_from

Results = tuple[torch.Tensor, ...]
T = TypeVar("T")


def over_buckets(
    function: Callable[..., Results], module: nn.Module, ragged: Ragged, rows: torch.Tensor, *more: Sequence[Any]
) -> Results:
    """Results of `function` for the buckets of a batch, concatenated.

    Args:
        function: called side by side with the rows of a bucket, the bucket, and its share of `more`.
        module: has the parameters that `function` uses.
        ragged: the buckets.
        rows: `(T, D)`.
        more: one value for each bucket.
    """
    pieces = list(zip(ragged.split(rows), ragged.buckets, *more, strict=True))
    found = side_by_side(function, pieces, list(module.parameters()))
    return tuple(torch.cat(results) for results in zip(*found, strict=True))


def side_by_side(
    function: Callable[..., Results], pieces: Sequence[Sequence[Any]], parameters: Sequence[nn.Parameter]
) -> list[Results]:
    """`[function(*piece) for piece in pieces]`, as many at a time as torch has threads, one thread each.

    Dropout has a seed for each piece, so it does not depend on the number of threads. What a thread takes, and so the
    order of every sum, depends on that number and on the sizes alone.
    `backward` works once, whatever `retain_graph` says.

    Args:
        function: of tensors and anything else; another `side_by_side` inside has one thread.
        pieces: arguments of the calls; the size of the first, a tensor, says how much work a call is.
        parameters: those that `function` uses, or more.
    """
    if torch.compiler.is_compiling() or pieces[0][0].device.type != "cpu":
        return [function(*piece) for piece in pieces]
    shares = _shares([piece[0].numel() for piece in pieces], torch.get_num_threads())
    work = _Work(function, shares, draw_seeds(len(pieces)))
    if len(shares) == 1:
        return [work.call(index, piece) for index, piece in enumerate(pieces)]
    values = [*chain(*pieces), *parameters]
    if not (torch.is_grad_enabled() and any(_learns(value) for value in values)):
        return work.forward(pieces, with_graph=False)
    return _grouped(_SideBySide.apply(work, len(pieces[0]), *values), len(pieces))  # type: ignore[no-untyped-call]


def _shares(sizes: Sequence[int], threads: int) -> list[list[int]]:
    """Indices of the pieces of each thread: the largest that is left goes to whoever has least."""
    shares: list[list[int]] = [[] for _ in range(min(threads, len(sizes)))]
    loads = [0] * len(shares)
    for index in sorted(range(len(sizes)), key=lambda index: -sizes[index]):
        least = loads.index(min(loads))
        shares[least].append(index)
        loads[least] += sizes[index]
    return shares


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    """Threads that work alone; all are started here, as each changes what torch sets for threads to come."""
    pool, everyone = ThreadPoolExecutor(threads, "side-by-side"), Barrier(threads)

    def start(_: int) -> None:
        torch.get_num_threads()  # the first call of a thread sets what the process has
        torch.set_num_threads(1)
        everyone.wait()

    list(pool.map(start, range(threads)))
    torch.set_num_threads(torch.get_num_threads())
    return pool


os.register_at_fork(after_in_child=_pool.cache_clear)  # threads stay with the parent


@dataclass(frozen=True, slots=True)
class _Work:
    """What is to be done, but for the arguments."""

    function: Callable[..., Results]
    shares: list[list[int]]
    """indices of the pieces of each thread"""
    seeds: list[int]
    """of each piece"""

    def call(self, index: int, piece: Sequence[Any]) -> Results:
        with drawn_from(self.seeds[index]):
            return self.function(*piece)

    def forward(self, pieces: Sequence[Sequence[Any]], *, with_graph: bool) -> list[Results]:
        """Results of the pieces in their order; inference mode and autocast of the caller hold in all threads.

        Without a cache of autocast: the threads would share it, and sums of gradients depend on who empties it when.
        """
        inference, mixed = torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu")
        dtype = torch.get_autocast_dtype("cpu")

        def of_share(share: list[int]) -> list[Results]:
            with (
                torch.inference_mode(inference),
                torch.set_grad_enabled(with_graph),
                torch.autocast("cpu", dtype, enabled=mixed, cache_enabled=False),
            ):
                return [self.call(index, pieces[index]) for index in share]

        results = dict(zip(chain(*self.shares), chain(*self.in_threads(of_share)), strict=True))
        return [results[index] for index in range(len(pieces))]

    def in_threads(self, of_share: Callable[[list[int]], T]) -> list[T]:
        return list(_pool(len(self.shares)).map(of_share, self.shares))


class _SideBySide(torch.autograd.Function):
    """All calls as one node of the caller's graph; each thread keeps a graph of its own and goes back through it."""

    @staticmethod
    def forward(context: Any, work: _Work, width: int, *values: Any) -> Results:
        """Values: `width` arguments of each piece, and the parameters."""
        n_arguments = len(work.seeds) * width
        context.set_materialize_grads(False)
        leaves = [
            value.detach().requires_grad_(needed) if isinstance(value, torch.Tensor) else value
            for value, needed in zip(values[:n_arguments], context.needs_input_grad[2:], strict=False)
        ]
        context.work, context.targets = work, [v for v in (*leaves, *values[n_arguments:]) if _learns(v)]
        context.results = work.forward(_grouped(leaves, len(work.seeds)), with_graph=True)
        return tuple(result.detach() for result in chain(*context.results))

    @staticmethod
    @once_differentiable
    def backward(context: Any, *gradients: torch.Tensor | None) -> tuple[torch.Tensor | None, ...]:
        """Gradients of all values that want one, summed over the threads."""
        of_piece = _grouped(gradients, len(context.results))

        def of_share(share: list[int]) -> Sequence[torch.Tensor | None]:
            ends = [
                (result, gradient)
                for index in share
                for result, gradient in zip(context.results[index], of_piece[index], strict=True)
                if gradient is not None and result.requires_grad
            ]
            if not ends:
                return [None] * len(context.targets)
            results, weights = zip(*ends, strict=True)
            found: Results = torch.autograd.grad(results, context.targets, weights, allow_unused=True)
            return found

        sums = (_sum(found) for found in zip(*context.work.in_threads(of_share), strict=True))
        return tuple(next(sums) if needed else None for needed in context.needs_input_grad)


def _sum(gradients: Iterable[torch.Tensor | None]) -> torch.Tensor | None:
    found = [gradient for gradient in gradients if gradient is not None]
    return reduce(torch.add, found) if found else None


def _learns(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.requires_grad


def _grouped(values: Sequence[T], number: int) -> list[tuple[T, ...]]:
    """Equal groups of values that follow each other."""
    return list(zip(*[iter(values)] * (len(values) // number), strict=True))
