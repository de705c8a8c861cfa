"""Signs of collapse, cheap enough for every epoch.

Letters: B rows, P projected width.
"""

from typing import NamedTuple

import torch
from torch.nn import functional


class Monitors(NamedTuple):
    """Scalars about the embeddings of a batch of pairs."""

    std: torch.Tensor
    """mean over dimensions of the spread of the unit vectors, times sqrt(P): about 1 if spread out, 0 if collapsed"""
    std_min: torch.Tensor
    """the same of the dimension with the smallest spread"""
    effective_rank: torch.Tensor
    """dimensions that are used, see `effective_rank`"""
    alignment: torch.Tensor
    """mean squared distance of the two views of a row (arXiv:2005.10242, alpha = 2); 0 is perfect"""
    uniformity: torch.Tensor
    """log of the mean Gaussian potential between rows (arXiv:2005.10242, t = 2); lower is more uniform"""


def collapse_monitors(first: torch.Tensor, second: torch.Tensor) -> Monitors:
    """Monitors of two views `(B, P)` of the same rows."""
    first, second = (functional.normalize(view.float(), dim=1) for view in (first, second))
    both = torch.cat([first, second])
    spread = both.std(0) * first.shape[1] ** 0.5
    return Monitors(
        spread.mean(),
        spread.min(),
        effective_rank(both),
        (first - second).square().sum(1).mean(),
        torch.pdist(first).square().mul(-2).exp().mean().log(),
    )


def effective_rank(vectors: torch.Tensor) -> torch.Tensor:
    """Exponential of the entropy of the singular values of the centred vectors, divided by their sum.

    Between 1 (all on a line) and min(B, P); 1 also if all are equal. Roy and Vetterli, EUSIPCO 2007; as a sign of
    dimensional collapse arXiv:2210.02885.

    Args:
        vectors: `(B, P)`.
    """
    values = torch.linalg.svdvals(vectors - vectors.mean(0))
    share = values / values.sum().clamp(min=torch.finfo(values.dtype).tiny)
    entropy: torch.Tensor = torch.special.entr(share).sum()
    return entropy.exp()
