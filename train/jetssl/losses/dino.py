"""Self-distillation without labels (DINO, arXiv:2104.14294), and the spread of DINOv2 (arXiv:2304.07193).

Letters: B rows, K prototypes, D size of a vector.
"""

import torch
from torch.nn import functional

from jetssl.common.precision import at_least_single, no_autocast
from jetssl.losses.weighting import weighted_mean


def dino(
    student: torch.Tensor,
    teacher: torch.Tensor,
    centre: torch.Tensor,
    temperatures: tuple[float, float],
    weights: torch.Tensor | None = None,
) -> torch.Tensor:
    """Cross-entropy of the student's prototypes in one view with the teacher's in the other one (eq. 1 and 3).

    Args:
        student: logits of both views of each row, first views before second ones, `(2 B, K)`.
        teacher: the same of the teacher, without gradient.
        centre: subtracted from the teacher's, `(K,)`.
        temperatures: of student and teacher.
        weights: how much each row counts, `(B,)`; None: alike.
    """
    with no_autocast(student.device):
        wanted = functional.softmax((at_least_single(teacher) - centre) / temperatures[1], dim=1)
        said = functional.log_softmax(at_least_single(student) / temperatures[0], dim=1)
        of_row = -(wanted.roll(len(wanted) // 2, 0) * said).sum(1).view(2, -1).mean(0)
        return of_row.mean() if weights is None else weighted_mean(of_row, weights)


def koleo(vectors: torch.Tensor) -> torch.Tensor:
    """Minus the mean log distance of unit vectors to their nearest neighbours (KoLeo, arXiv:1806.03198, eq. 3).

    Args:
        vectors: `(B, D)`.
    """
    with no_autocast(vectors.device):
        unit = functional.normalize(at_least_single(vectors), dim=1)
        cosines = unit @ unit.T
        nearest = cosines.detach().fill_diagonal_(-torch.inf).argmax(1)
        distance = (unit - unit[nearest]).square().sum(1).clamp_min(EPSILON).sqrt()
        return -distance.log().mean()


EPSILON = 1e-8
"""Smallest squared distance: equal vectors have a finite loss."""
