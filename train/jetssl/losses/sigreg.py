"""Sketched isotropic Gaussian regularization (SIGReg), and the objective of LeJEPA (arXiv:2511.08544).

Embeddings that follow a standard normal distribution neither collapse nor correlate. By the theorem of Cramer and
Wold it is enough that all their projections on a line do, and the test of Epps and Pulley says how far one is from
that.

Letters: B rows, P size of an embedding, K directions, T points of the integral.
"""

from typing import Final, NamedTuple

import torch
from torch.nn import functional

from jetssl.common.precision import at_least_single, no_autocast
from jetssl.losses.vicreg import invariance
from jetssl.losses.weighting import divisor

LIMIT: Final = 5.0
"""The integral over t runs from minus to plus this, as in the paper's listing."""
POINTS: Final = 17
"""Of the trapezoidal rule, as there."""


class LejepaTerms(NamedTuple):
    """Two scalars, not weighted."""

    prediction: torch.Tensor
    """mean squared distance of a view from the mean of both, mean over dimensions"""
    sigreg: torch.Tensor


def directions(size: int, number: int, seed: int) -> torch.Tensor:
    """Random unit vectors, all directions alike: `(P, K)` on the CPU.

    Args:
        size: P.
        number: K.
        seed: equal seeds, equal directions; so all processes of a training have the same ones.
    """
    return functional.normalize(torch.randn(size, number, generator=torch.Generator().manual_seed(seed)), dim=0)


def sigreg(embedding: torch.Tensor, onto: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
    r"""Statistic of Epps and Pulley, mean over directions (sec. 4.2 of the paper, its listing).

    .. math:: B \int |\hat\varphi(t) - e^{-t^2/2}|^2 e^{-t^2/2} dt

    with the empirical characteristic function of the projections. About 1.06 for standard normal rows. The integrand
    is even in t, so half of the points are enough.

    Args:
        embedding: `(B, P)`, of all processes.
        onto: `(P, K)`, unit vectors.
        weights: how much each row counts in the characteristic function, `(B,)`, none negative; None: alike.

    Returns:
        Scalar, in single precision at least (also under autocast).
    """
    with no_autocast(embedding.device):
        values = at_least_single(embedding)
        t = torch.linspace(0, LIMIT, POINTS // 2 + 1, dtype=values.dtype, device=values.device)
        normal = torch.exp(-t.square() / 2)
        phases = (values @ onto.to(values))[..., None] * t  # (B, K, T)
        of_row = torch.ones_like(values[:, 0]) if weights is None else weights.to(values.dtype)
        shares = (of_row / divisor(of_row.sum()))[:, None, None]
        real, imaginary = ((shares * wave).sum(0) for wave in (phases.cos(), phases.sin()))
        distance = (real - normal).square() + imaginary.square()
        return len(values) * 2 * torch.trapezoid(distance * normal, t, dim=-1).mean()


def lejepa_terms(
    first: torch.Tensor, second: torch.Tensor, onto: torch.Tensor, weights: torch.Tensor | None = None
) -> LejepaTerms:
    """The terms of two views of the same rows, raw embeddings.

    Args:
        first: one view of each row, `(B, P)`.
        second: another view of the same rows, `(B, P)`.
        onto: `(P, K)`, unit vectors.
        weights: how much each row counts, `(B,)`, none negative; None: alike.
    """
    with no_autocast(first.device):
        one, other = (at_least_single(view) for view in (first, second))
        # Each view is half of their distance away from the mean.
        prediction = invariance(one, other, weights) / 4
        return LejepaTerms(prediction, (sigreg(one, onto, weights) + sigreg(other, onto, weights)) / 2)
