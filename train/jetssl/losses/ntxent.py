"""NT-Xent, the loss of SimCLR (arXiv:2002.05709, eq. 1).

Letters: B rows, P projected width.
"""

import torch
from torch.nn import functional

from jetssl.common.precision import at_least_single, no_autocast
from jetssl.losses.weighting import divisor


def ntxent(
    first: torch.Tensor, second: torch.Tensor, temperature: float, weights: torch.Tensor | None = None
) -> torch.Tensor:
    """Normalized temperature-scaled cross-entropy over the 2B embeddings of a batch.

    For each embedding, the log-softmax of the cosine similarity with its partner over those with all others but
    itself, averaged over the 2B; the positive stays in the denominator, as in the paper. One matrix product in
    single precision at least (also under autocast), then log-sum-exp. log(2B - 1) is the value of equal embeddings.

    Args:
        first: one view of each row, `(B, P)`.
        second: another view of the same rows, `(B, P)`.
        temperature: tau.
        weights: how much the two embeddings of each row count in the average, `(B,)`, none negative; None: alike.

    Returns:
        Scalar.

    Raises:
        ValueError: the shapes differ, or there are fewer than two rows.
    """
    if first.shape != second.shape or len(first) < 2:
        raise ValueError(f"want two equal shapes of at least 2 rows, got {tuple(first.shape)}, {tuple(second.shape)}")
    with no_autocast(first.device):
        both = torch.cat([first, second])
        embedding = functional.normalize(at_least_single(both), dim=1)
        similarity = embedding @ embedding.T / temperature
        similarity.fill_diagonal_(-torch.inf)
        partner = torch.arange(len(embedding), device=first.device).roll(len(first))
        if weights is None:
            return functional.cross_entropy(similarity, partner)
        of_embedding = functional.cross_entropy(similarity, partner, reduction="none")
        return (of_embedding * weights.repeat(2)).sum() / (2 * divisor(weights.sum()))
