"""Kernels that give the same bits whenever they are run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def deterministic(wanted: bool) -> Iterator[None]:
    """Let torch use only kernels whose sums have a fixed order, inside the block, if they are wanted.

    On the CPU nothing changes, as ours are. On a GPU sums of many threads are in any order else.

    Raises:
        RuntimeError: by torch, inside the block, at an operation that has no such kernel.
    """
    before = torch.are_deterministic_algorithms_enabled()
    if wanted:
        # cuBLAS reads it at its first call; two streams of 4 MiB, as NVIDIA's documentation has it
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
