"""Contrast with anomalies made by hand: AnomCLR and AnomCLR+ (arXiv:2301.04660).

Letters: B rows, P size of an embedding.
"""

import torch
from torch.nn import functional

from jetssl.common.precision import at_least_single, no_autocast
from jetssl.losses.weighting import divisor


def anomclr(
    first: torch.Tensor,
    second: torch.Tensor,
    anomalous: torch.Tensor,
    temperature: float,
    weights: torch.Tensor | None = None,
) -> torch.Tensor:
    r"""A jet is near its other view, far from its anomalous one, and far from other jets.

    .. math:: -\log \frac{\exp([s(z_i, z_i') - s(z_i, z_i^*)] / \tau)}
        {\sum_{j \neq i} \exp(s(z_i, z_j) / \tau) + \exp(s(z_i, z_j') / \tau)}

    Mean over both views of all rows. As in the paper the sum runs over other rows only, so that, unlike in NT-Xent,
    the positive is not part of it and the loss may be negative.

    Args:
        first: one view of each row, `(B, P)`.
        second: another view of the same rows, `(B, P)`.
        anomalous: an anomalous version of each row, `(B, P)`.
        temperature: tau.
        weights: how much each row counts in the average, `(B,)`, none negative; None: alike.

    Returns:
        Scalar, in single precision at least (also under autocast).

    Raises:
        ValueError: there is one row only.
    """
    if len(first) < 2:
        raise ValueError("AnomCLR contrasts a row with others, got one row")
    with no_autocast(first.device):
        one, other, strange = _units(first, second, anomalous)
        both = torch.cat([one, other])
        same_row = torch.eye(len(one), dtype=torch.bool, device=one.device).repeat(2, 2)
        negatives = (both @ both.T / temperature).masked_fill(same_row, -torch.inf).logsumexp(1)
        of_row = _gap(one, other, strange) / temperature + negatives.view(2, -1).mean(0)
        return _mean(of_row, weights)


def anomclr_plus(
    first: torch.Tensor,
    second: torch.Tensor,
    anomalous: torch.Tensor,
    temperature: float,
    weights: torch.Tensor | None = None,
) -> torch.Tensor:
    r"""The same without other jets, which are as normal as the jet itself: arguments of `anomclr`.

    .. math:: -[s(z_i, z_i') - s(z_i, z_i^*)] / \tau
    """
    with no_autocast(first.device):
        return _mean(_gap(*_units(first, second, anomalous)) / temperature, weights)


def _units(*embeddings: torch.Tensor) -> list[torch.Tensor]:
    return [functional.normalize(at_least_single(embedding), dim=1) for embedding in embeddings]


def _gap(one: torch.Tensor, other: torch.Tensor, strange: torch.Tensor) -> torch.Tensor:
    """Similarity of a row with its anomaly, mean of both views, minus that of the views: `(B,)`."""
    return ((one + other) / 2 * strange).sum(1) - (one * other).sum(1)


def _mean(of_row: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
    return of_row.mean() if weights is None else (of_row * weights).sum() / divisor(weights.sum())
