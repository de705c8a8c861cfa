"""Supervised contrastive loss (arXiv:2004.11362, eq. 2).

Letters: B embeddings, P their size.
"""

import torch
from torch.nn import functional

from jetssl.common.precision import at_least_single, no_autocast
from jetssl.losses.weighting import divisor


def supcon(
    embeddings: torch.Tensor, labels: torch.Tensor, temperature: float, weights: torch.Tensor | None = None
) -> torch.Tensor:
    """Cross-entropy of finding the others of one's class, averaged outside the logarithm.

    For each embedding, minus the mean over all others of its class of the log-softmax of their cosine similarity
    over those with all others; averaged over embeddings that have a partner. Single precision (also under autocast).

    Args:
        embeddings: all views of all rows, `(B, P)`.
        labels: class of each, int64 `(B,)`.
        temperature: tau.
        weights: how much each embedding counts in the average, `(B,)`, none negative; None: alike.

    Returns:
        Scalar; NaN if no two embeddings share a class.
    """
    same = labels[:, None] == labels
    same.fill_diagonal_(False)
    partners = same.sum(1)
    with no_autocast(embeddings.device):
        unit = functional.normalize(at_least_single(embeddings), dim=1)
        similarity = unit @ unit.T / temperature
        similarity.fill_diagonal_(-torch.inf)
        log_share = similarity.log_softmax(1).masked_fill(~same, 0)
        of_embedding = -(log_share.sum(1) / partners.clamp(min=1))
        counts = (partners > 0).to(of_embedding.dtype)
        if weights is None:
            return (of_embedding * counts).sum() / counts.sum()
        return (of_embedding * counts * weights).sum() / divisor((counts * weights).sum())
