"""Monitors of collapse, from all held-out rows after every epoch.

Letters: B rows, P size of a vector.
"""

from typing import Final, NamedTuple

import torch
from torch.nn import functional

from jetssl.common.collectives import share, total

ROWS_AT_ONCE: Final = 1024
"""Rows whose distances to all others are computed at once."""


class Spread(NamedTuple):
    """Scalars about one set of vectors."""

    std: torch.Tensor
    """standard deviation of the unit vectors, mean over dimensions, times sqrt(P): about 1 if isotropic, 0 if
    collapsed"""
    std_min: torch.Tensor
    """the same of the dimension with the smallest standard deviation"""
    effective_rank: torch.Tensor
    """number of dimensions in use, see `effective_rank`"""


def spread(vectors: torch.Tensor) -> Spread:
    """Spread of the directions of vectors `(B, P)`."""
    unit = functional.normalize(vectors.float(), dim=1)
    deviation = unit.std(0) * unit.shape[1] ** 0.5
    return Spread(deviation.mean(), deviation.min(), effective_rank(unit))


def alignment(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Mean squared distance of the directions of the two views `(B, P)` of a row; 0 is perfect.

    arXiv:2005.10242, alpha = 2.
    """
    first, second = (functional.normalize(view.float(), dim=1) for view in (first, second))
    return (first - second).square().sum(1).mean()


def effective_rank(vectors: torch.Tensor) -> torch.Tensor:
    """Exponential of the entropy of the singular values of the centred vectors, divided by their sum.

    Between 1 (all on a line) and min(B, P); 1 also if all are equal. Roy and Vetterli, EUSIPCO 2007; used as a sign
    of dimensional collapse in arXiv:2210.02885. Singular values are roots of eigenvalues of a `(P, P)` matrix in
    double precision, which is exact to 1e-8 of the largest and does not grow with B.

    Args:
        vectors: `(B, P)`.
    """
    centred = vectors.double() - vectors.double().mean(0)
    values = torch.linalg.eigvalsh(centred.T @ centred).clamp(min=0).sqrt()
    # Singular values of equal vectors are 0 but for rounding.
    values = values.where(values > torch.finfo(torch.float32).eps * vectors.norm(), 0)
    share_of_each = values / values.sum().clamp(min=torch.finfo(values.dtype).tiny)
    entropy: torch.Tensor = torch.special.entr(share_of_each).sum()
    return entropy.exp()


@torch.no_grad()
def uniformity(vectors: torch.Tensor) -> torch.Tensor:
    """Log of the mean Gaussian potential between the directions of rows `(B, P)`; lower is more uniform.

    arXiv:2005.10242, t = 2. In blocks, of which every process does its share.
    """
    unit = functional.normalize(vectors.float(), dim=1)
    starts = range(0, len(unit), ROWS_AT_ONCE)
    summed = torch.zeros((), dtype=torch.float64, device=unit.device)
    for start in share(starts):
        # Squared distances of unit vectors are 2 - 2 cos; pairs of a block and what follows it.
        potential = (unit[start : start + ROWS_AT_ONCE] @ unit[start:].T).sub_(1).mul_(4).clamp_(max=0).exp_()
        own = potential[:, : len(potential)]
        summed += potential[:, len(potential) :].sum(dtype=torch.float64)
        summed += own.triu(1).sum(dtype=torch.float64)
    return (total(summed) / (len(unit) * (len(unit) - 1) / 2)).log()
