"""Learning-rate schedules as functions of the step."""

import math
from collections.abc import Callable
from typing import Final


def warmup_cosine(step: int, total: int, warmup: float) -> float:
    """Factor on the peak rate: a linear rise, then half a cosine down to zero at `total`.

    Args:
        step: optimizer steps taken, from 0.
        total: steps of the whole training.
        warmup: share of the steps in which the rate rises.

    >>> [round(warmup_cosine(step, 100, 0.1), 3) for step in (0, 9, 10, 55, 100)]
    [0.1, 1.0, 1.0, 0.5, 0.0]
    """
    rising = math.floor(total * warmup)
    if step < rising:
        return (step + 1) / rising
    progress = min((step - rising) / max(total - rising, 1), 1.0)
    return 0.5 * (1 + math.cos(math.pi * progress))


START: Final = 1 / 25
"""Rate at the start of a single cycle in units of its peak: torch's default, the paper says 1/10 to 1/20."""
END: Final = START / 10_000
"""Rate at its end: torch's default, the paper says several orders of magnitude below the start."""


def one_cycle(step: int, total: int, warmup: float) -> float:
    """Factor on the peak rate: half a cosine up to the peak and half a cosine down (arXiv:1708.07120, sec. 4.1).

    As torch's `OneCycleLR` with its defaults, without the cycle of the momentum.

    Args:
        step: optimizer steps taken, from 0.
        total: steps of the whole training; the last one has the lowest rate.
        warmup: share of the steps in which the rate rises.

    >>> [round(one_cycle(step, 101, 0.3), 3) for step in (0, 29, 100)]
    [0.04, 1.0, 0.0]
    """
    top = max(warmup * total - 1, 0.0)
    if step < top:
        return _half_cosine(START, 1.0, step / top)
    return _half_cosine(1.0, END, min((step - top) / max(total - 1 - top, 1.0), 1.0))


def _half_cosine(begin: float, end: float, share: float) -> float:
    return end + (begin - end) / 2 * (1 + math.cos(math.pi * share))


FLAT: Final = 0.7
"""Share of the steps after which the rate falls (arXiv:2202.03772, sec. 5)."""
LAST: Final = 0.01
"""Rate after the last step in units of its peak, there."""


def flat_decay(step: int, total: int, warmup: float) -> float:
    """Factor on the peak rate: a linear rise, flat, then an exponential fall to 1 % (arXiv:2202.03772, sec. 5).

    The paper has no rise, and lets the rate fall every 20,000 steps; here it falls with every step.

    Args:
        step: optimizer steps taken, from 0.
        total: steps of the whole training.
        warmup: share of the steps in which the rate rises.

    >>> [round(flat_decay(step, 100, 0.1), 3) for step in (0, 9, 70, 85, 100)]
    [0.1, 1.0, 1.0, 0.1, 0.01]
    """
    begin = max(FLAT, warmup) * total
    rise = min((step + 1) / max(math.floor(total * warmup), 1), 1.0)
    fallen = min(max(step - begin, 0.0) / (total - begin), 1.0)
    return rise * math.exp(fallen * math.log(LAST))


SCHEDULES: Final[dict[str, Callable[[int, int, float], float]]] = {
    "cosine": warmup_cosine,
    "one_cycle": one_cycle,
    "flat_decay": flat_decay,
}
"""By the name that a card uses: (step, total, warmup) to the factor on the peak rate."""
