"""Variance-invariance-covariance regularization (arXiv:2105.04906).

The embeddings are raw: unit vectors could never reach a spread of 1 in every dimension. Sums run over all rows that
are given, and their true number minus one divides. Normalized as in the paper's listing (its algorithm 1), whose
weights 25, 25, 1 those are: the invariance is a mean over dimensions, too, and the variance a mean over the views.

Letters: B rows, P size of an embedding.
"""

from typing import NamedTuple

import torch

from jetssl.common.precision import at_least_single, no_autocast
from jetssl.losses.weighting import divisor

WANTED_SPREAD = 1.0
"""gamma of the paper: the variance term acts on dimensions whose standard deviation is smaller."""
EPSILON = 1e-4
"""Added to the variance, so that the gradient of its root stays finite."""


class VicregTerms(NamedTuple):
    """Three scalars, not weighted."""

    invariance: torch.Tensor
    variance: torch.Tensor
    covariance: torch.Tensor


def invariance(first: torch.Tensor, second: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
    """Mean squared difference of two views `(B, P)` (eq. 5, divided by P)."""
    return _weighted((first - second).square(), weights).mean()


def variance(embedding: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
    """max(0, gamma - standard deviation), mean over dimensions (eq. 1 and 2): `(B, P)` → scalar."""
    if weights is None:
        square = embedding.var(dim=0)
    else:
        centred = embedding - _weighted(embedding, weights).mean(0)
        square = _weighted(centred.square(), weights).sum(0) / (len(embedding) - 1)
    spread = (square + EPSILON).sqrt()
    return torch.relu(WANTED_SPREAD - spread).mean()


def covariance(embedding: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
    """Sum of the squared covariances of different dimensions, divided by P (eq. 3 and 4): `(B, P)` → scalar."""
    centred = embedding - _weighted(embedding, weights).mean(0)
    matrix = centred.T @ _weighted(centred, weights) / (len(embedding) - 1)
    off_diagonal = matrix - torch.diag(matrix.diagonal())
    return off_diagonal.square().sum() / embedding.shape[1]


def _weighted(values: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
    """Rows of `(B, P)` times their weights over the mean of these."""
    return values if weights is None else values * (weights / divisor(weights.mean()))[:, None]


def vicreg_terms(first: torch.Tensor, second: torch.Tensor, weights: torch.Tensor | None = None) -> VicregTerms:
    """The terms of two views of the same rows, in single precision at least (also under autocast).

    Args:
        first: one view of each row, `(B, P)`.
        second: another view of the same rows, `(B, P)`.
        weights: how much each row counts in means, variances and covariances, `(B,)`, none negative; None: alike.

    Raises:
        ValueError: the shapes differ, or there are fewer than two rows.
    """
    if first.shape != second.shape or len(first) < 2:
        raise ValueError(f"want two equal shapes of at least 2 rows, got {tuple(first.shape)}, {tuple(second.shape)}")
    with no_autocast(first.device):
        one, other = (at_least_single(view) for view in (first, second))
        return VicregTerms(
            invariance(one, other, weights),
            (variance(one, weights) + variance(other, weights)) / 2,
            covariance(one, weights) + covariance(other, weights),
        )
