"""Losses of guesses about hidden constituents: masked particle modelling (arXiv:2401.13537).

Letters: R jets, M constituents, C continuous features, K types.
"""

import torch
from torch.nn import functional

from jetssl.losses.weighting import weighted_mean


def regression_loss(guessed: torch.Tensor, features: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    """Mean absolute error of continuous features, over them and over constituents.

    The paper guesses the code of a quantized constituent; later work finds that a regression will do
    (arXiv:2409.12589).

    Args:
        guessed: `(R, M, C)`.
        features: standardized, so that all count alike, `(R, M, C)`.
        at: weight of each constituent, 0 where none is guessed, `(R, M)`.

    Returns:
        Scalar, over the constituents of all processes.
    """
    return weighted_mean((guessed - features).abs().mean(-1), at)


def type_loss(logits: torch.Tensor, one_hot: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of the types of constituents.

    Args:
        logits: `(R, M, K)`.
        one_hot: `(R, M, K)`.
        at: weight of each constituent, 0 where none is guessed, `(R, M)`.

    Returns:
        Scalar, over the constituents of all processes.
    """
    return weighted_mean(-(functional.log_softmax(logits, dim=-1) * one_hot).sum(-1), at)
