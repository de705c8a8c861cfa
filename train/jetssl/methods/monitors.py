"""Signs of collapse, cheap enough for every epoch.

Letters: B rows, P projected width.
"""

from typing import NamedTuple

import torch
from torch.nn import functional


class Monitors(NamedTuple):
    """Three scalars about the embeddings of a batch of pairs."""

    std: torch.Tensor
    """mean over dimensions of the spread of the unit vectors, times sqrt(P): about 1 if spread out, 0 if collapsed"""
    alignment: torch.Tensor
    """mean squared distance of the two views of a row (arXiv:2005.10242, alpha = 2); 0 is perfect"""
    uniformity: torch.Tensor
    """log of the mean Gaussian potential between rows (arXiv:2005.10242, t = 2); lower is more uniform"""


def collapse_monitors(first: torch.Tensor, second: torch.Tensor) -> Monitors:
    """Monitors of two views `(B, P)` of the same rows."""
    first, second = (functional.normalize(view.float(), dim=1) for view in (first, second))
    std = torch.cat([first, second]).std(0).mean() * first.shape[1] ** 0.5
    alignment = (first - second).square().sum(1).mean()
    return Monitors(std, alignment, torch.pdist(first).square().mul(-2).exp().mean().log())
