"""Generalized cross-entropy (arXiv:1805.07836): jets whose label the network doubts count less.

Letters: B jets, K classes.
"""

import torch

Q = 0.7
"""Of the paper's experiments."""


def generalized_cross_entropy(logits: torch.Tensor, targets: torch.Tensor, q: float = Q) -> torch.Tensor:
    """L_q = (1 - p_y^q) / q of each jet, averaged over its target.

    For q → 0 the cross-entropy; for q = 1 the mean absolute error, whose minimum symmetric noise does not move.

    Args:
        logits: `(B, K)`.
        targets: probability of each class, `(B, K)`.
        q: in (0, 1].

    Returns:
        `(B,)`
    """
    return (targets * -torch.expm1(q * torch.log_softmax(logits, -1)) / q).sum(-1)
