"""Learning from label proportions (arXiv:1702.00414): only the signal fraction of each sample is known.

Letters: B jets, K classes, S samples.
"""

import torch


def proportion_loss(logits: torch.Tensor, proportions: torch.Tensor) -> torch.Tensor:
    """Squared difference of the mean probability of a sample and its known fraction, mean over samples.

    Jets with equal `proportions` are of one sample: a batch holds some of each.

    Args:
        logits: `(B, K)`.
        proportions: of the classes in the sample of each jet, `(B, K)`.

    Returns:
        A scalar.
    """
    same = (proportions[:, None] == proportions[None]).all(-1).to(logits.dtype)
    means = same @ torch.softmax(logits, -1) / same.sum(1, keepdim=True)
    weights = 1 / same.sum(1)  # a jet of a large sample counts less, so that samples count alike
    return (weights * (means - proportions).square().sum(-1)).sum() / weights.sum()
