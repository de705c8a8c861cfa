"""Supervised contrastive loss (arXiv:2004.11362, eq. 2).

Letters: B embeddings, P their size.
"""

import torch
from torch.nn import functional

from jetssl.common.precision import at_least_single


def supcon(embeddings: torch.Tensor, labels: torch.Tensor, temperature: float) -> torch.Tensor:
    """Cross-entropy of finding the others of one's class, averaged outside the logarithm.

    For each embedding, minus the mean over all others of its class of the log-softmax of their cosine similarity
    over those with all others; averaged over embeddings that have a partner. Single precision (also under autocast).

    Args:
        embeddings: all views of all rows, `(B, P)`.
        labels: class of each, int64 `(B,)`.
        temperature: tau.

    Returns:
        Scalar.

    Raises:
        ValueError: no two embeddings share a class.
    """
    same = labels[:, None] == labels
    same.fill_diagonal_(False)
    partners = same.sum(1)
    if not bool(partners.any()):
        raise ValueError(f"no two of {len(labels)} embeddings share a class")
    with torch.autocast(embeddings.device.type, enabled=False):
        unit = functional.normalize(at_least_single(embeddings), dim=1)
        similarity = unit @ unit.T / temperature
        similarity.fill_diagonal_(-torch.inf)
        log_share = similarity.log_softmax(1).masked_fill(~same, 0)
        return -(log_share.sum(1)[partners > 0] / partners[partners > 0]).mean()
