"""Dropout with 16 random bits per element.

`torch.nn.functional.dropout` draws one double per element on the CPU: a seventh of a training step of the Particle
Transformer.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import nn

LEVELS = 2**16

_generator: ContextVar[torch.Generator | None] = ContextVar("generator", default=None)
"""None: torch's own."""


@contextmanager
def drawn_from(seed: int) -> Iterator[None]:
    """Let all dropout of this thread on the CPU draw from a seed inside the block."""
    before = _generator.set(torch.Generator().manual_seed(seed))
    try:
        yield
    finally:
        _generator.reset(before)


def draw_seeds(number: int) -> list[int]:
    """Seeds for `drawn_from`, from whatever dropout draws from here."""
    seeds: list[int] = torch.randint(2**63 - 1, (number,), generator=_generator.get()).tolist()
    return seeds


class Dropout(nn.Module):
    """Set elements to zero at random while training, and scale the others up (arXiv:1207.0580).

    Args:
        probability: of zero; rounded to a multiple of 2^-16, and the scale fits the rounded value.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.dropped = min(round(probability * LEVELS), LEVELS - 1)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Any shape."""
        if not self.training or self.dropped == 0:
            return values
        return values * self.factor(values)

    def factor(self, values: torch.Tensor) -> torch.Tensor:
        """0 or 1 / (1 - p) for every element of `values`."""
        words = torch.empty(-(-values.numel() // 4), dtype=torch.int64, device=values.device)
        # `random_()` draws 63 bits, so that the top one of every fourth group would be 0 throughout.
        words.random_(torch.iinfo(torch.int64).min, None, generator=_generator.get())
        bits = words.view(torch.int16)[: values.numel()]
        # Comparisons that write booleans, and products with booleans, cost 20 times as much.
        kept = bits.float().ge_(self.dropped - LEVELS // 2)
        return kept.mul_(LEVELS / (LEVELS - self.dropped)).to(values.dtype).view(values.shape)
