"""Co-teaching (arXiv:1804.06872): two networks, each learns from the jets that the other finds easy.

Letters: B jets, K classes.
"""

import torch

from jetssl.weak.cross_entropy import cross_entropy

RAMP = 0.2
"""Share of the training in which the share of kept jets falls to its end; 10 of 200 epochs in the paper, which has
more of them for the networks to get apart."""


def kept_share(noise: float, progress: float, ramp: float = RAMP) -> float:
    """R(T) = 1 - tau min(T / T_k, 1) (algorithm 1): networks learn clean labels first, so at first all jets count.

    Args:
        noise: tau, the share of wrong labels.
        progress: of the training, T, from 0 to 1.
        ramp: T_k.

    >>> kept_share(0.4, 0.1), kept_share(0.4, 0.7)
    (0.8, 0.6)
    """
    return 1 - noise * min(progress / ramp, 1.0)


def exchanged(losses: torch.Tensor, kept: float) -> torch.Tensor:
    """Which jets each network learns from: those of the smallest loss of the other one.

    Args:
        losses: of both networks, `(B, 2)`.
        kept: share of the jets.

    Returns:
        float `(B, 2)`, weights of sum 1 for each network.
    """
    number = max(round(kept * len(losses)), 1)
    easiest = losses.detach().argsort(dim=0, stable=True)[:number].flip(1)
    return torch.zeros_like(losses).scatter_(0, easiest, 1 / number)


def co_teaching(logits: torch.Tensor, targets: torch.Tensor, noise: float, progress: float) -> torch.Tensor:
    """Sum of the losses of both networks over the jets that each was given.

    Args:
        logits: of both networks, `(B, 2, K)`.
        targets: the noisy label as probabilities, `(B, K)`.
        noise: the share of wrong labels.
        progress: of the training, from 0 to 1.

    Returns:
        A scalar.
    """
    losses = cross_entropy(logits, targets[:, None])
    return (exchanged(losses, kept_share(noise, progress)) * losses).sum()
