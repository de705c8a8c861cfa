"""Forward correction of the loss by the transition matrix of the labels, and its estimate (arXiv:1609.03683).

Letters: B jets, K classes.
"""

import numpy as np
import numpy.typing as npt
import torch

from jetssl.weak.label_noise import Matrix, checked

ANCHOR = 0.97
"""Quantile of the probability at which a jet counts as a sure one of its class; the largest value is too noisy."""


def forward_corrected(logits: torch.Tensor, targets: torch.Tensor, transition: torch.Tensor) -> torch.Tensor:
    """-log (T^T p)_y of each jet (theorem 2): the network says true classes, the loss sees noisy ones.

    Args:
        logits: of the true classes, `(B, K)`.
        targets: the noisy label as probabilities, `(B, K)`.
        transition: T, `(K, K)`: element (i, j) is the probability that class i gets label j.

    Returns:
        `(B,)`; its minimum is that of the cross-entropy with clean labels.
    """
    noisy = torch.logsumexp(torch.log_softmax(logits, -1)[..., None] + torch.log(transition), -2)
    return -(targets * noisy.clamp(min=-100)).sum(-1)  # log 0 times 0 is no number


def estimated_transition(probabilities: npt.NDArray[np.floating], quantile: float = ANCHOR) -> Matrix:
    """T from a network that learned the noisy labels (section on estimating it).

    The jet that is surest of class i is taken as one of class i; what the network says of it is row i.

    Args:
        probabilities: of the noisy labels, `(B, K)`.
        quantile: which jet is the surest one: jets beyond it are called outliers.

    Raises:
        InputError: the estimate has a class whose label is not the most frequent one.
    """
    rows = []
    for column in probabilities.T:
        surest = np.argsort(column, kind="stable")[min(int(quantile * len(column)), len(column) - 1)]
        rows.append(probabilities[surest].astype(np.float64))
    matrix = np.array(rows)
    return checked(matrix / matrix.sum(1, keepdims=True))
