"""A linear probe after every epoch: ridge regression on the jet vectors of the validation batches.

Not the probe that judges a run (`jetssl.evaluation.probe`): it sees the first view of held-out rows, has no errors.

Letters: B rows, D model width, K classes.
"""

import math
from typing import Final

import numpy as np
import torch

from jetssl.common.roc import auc

RIDGE: Final = 0.1
"""Ridge penalty divided by the number of rows, for standardized columns: keeps noise in 100 columns from fitting."""


def online_probe(vectors: torch.Tensor, labels: torch.Tensor) -> float:
    """Mean area under the ROC curves of one class against the rest; nan if a class is missing on a side.

    Rows 0, 2, 4, ... are for training, rows 1, 3, 5, ... for testing.

    Args:
        vectors: `(B, D)`.
        labels: class of each row, int64 `(B,)`.
    """
    classes = torch.tensor(sorted(set(labels.tolist())), device=labels.device)
    known, other = slice(0, None, 2), slice(1, None, 2)
    if len(classes) < 2 or any(len(set(labels[side].tolist())) < len(classes) for side in (known, other)):
        return math.nan
    wanted = (labels[:, None] == classes).double()
    scores = _ridge(vectors[known].double(), wanted[known], vectors[other].double())
    columns = zip(wanted[other].bool().cpu().numpy().T, scores.cpu().numpy().T, strict=True)
    return float(np.mean([auc(score[of_class], score[~of_class]) for of_class, score in columns]))


def _ridge(known: torch.Tensor, wanted: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Predictions for `other` `(B', D)` from the regression of `wanted` `(B, K)` on `known` `(B, D)`: `(B', K)`."""
    mean, spread = known.mean(0), known.std(0)
    spread = torch.where(spread > 0, spread, 1)
    known, other = (known - mean) / spread, (other - mean) / spread
    penalty = RIDGE * len(known) * torch.eye(known.shape[1], dtype=known.dtype, device=known.device)
    weights: torch.Tensor = torch.linalg.solve(known.T @ known + penalty, known.T @ (wanted - wanted.mean(0)))
    return other @ weights
