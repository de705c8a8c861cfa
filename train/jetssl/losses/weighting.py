"""Means in which rows have weights."""

import torch

from jetssl.common.collectives import n_processes, total


def divisor(total: torch.Tensor) -> torch.Tensor:
    """A sum or mean of weights to divide by, a scalar: the smallest normal number in place of 0.

    Where all events of a batch have the weight 0, the loss is 0 and moves nothing, instead of 0 / 0.
    """
    return total.clamp_min(torch.finfo(total.dtype).tiny)


def weighted_mean(values: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Weighted mean over the entries of all processes, a scalar; 0 where all weights are.

    Of every process the share that, averaged over processes as DistributedDataParallel does with gradients, makes up
    the mean.

    Args:
        values: of this process, any shape.
        weights: the same shape, none negative, without gradient.
    """
    return n_processes() * (values * weights).sum() / divisor(total(weights.sum()))
