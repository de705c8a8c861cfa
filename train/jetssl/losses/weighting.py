"""Means in which rows have weights."""

import torch


def divisor(total: torch.Tensor) -> torch.Tensor:
    """A sum or mean of weights to divide by, a scalar: the smallest normal number in place of 0.

    Where all events of a batch have the weight 0, the loss is 0 and moves nothing, instead of 0 / 0.
    """
    return total.clamp_min(torch.finfo(total.dtype).tiny)
