"""Cross-entropy with labels that are probabilities: hard labels are the case of a single 1.

Letters: B jets, K classes.
"""

import torch


def cross_entropy(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """-sum_k t_k log p_k of each jet.

    Args:
        logits: `(B, K)`.
        targets: probability of each class, `(B, K)`.

    Returns:
        `(B,)`
    """
    return -(targets * torch.log_softmax(logits, -1)).sum(-1)
