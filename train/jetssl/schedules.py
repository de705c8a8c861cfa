"""Learning-rate schedules as functions of the step."""

import math


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
