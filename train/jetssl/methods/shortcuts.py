"""Does an encoder tell rows apart by substructure, or by pT, |eta| and class?

An encoder that only reads off the kinematics of a row has a low contrastive loss and ranks the other view of a jet
above nearly all other jets, but not above those of equal kinematics and class.

Letters: B rows, P projected width.
"""

from typing import Final, NamedTuple

import torch
from torch.nn import functional

PT_WINDOW: Final = 0.1
"""Largest distance in log pT of jets in one bin, so 10 %: about the resolution of a jet's pT, and what two showers of
one parton differ by."""
ETA_WINDOW: Final = 0.2
"""Largest distance in |eta|: half the radius of an R = 0.4 jet."""


class Wins(NamedTuple):
    """Comparisons of a positive pair with a negative one that shares its first jet."""

    won: torch.Tensor
    """where the positive is more similar; a tie counts half"""
    of: torch.Tensor
    """all comparisons"""


def wins(first: torch.Tensor, second: torch.Tensor, alike: torch.Tensor) -> Wins:
    """Compare the similarity of the two views of a row with that of other rows.

    Args:
        first: one view of each row, `(B, P)`.
        second: another view of the same rows, `(B, P)`.
        alike: bool `(B, B)`, whether the second view of row j is a negative for the first view of row i; the
            diagonal is not looked at.
    """
    first, second = (functional.normalize(view.float(), dim=1) for view in (first, second))
    similarity = first @ second.T
    positive = similarity.diagonal()[:, None]
    compared = alike & ~torch.eye(len(first), dtype=torch.bool, device=first.device)
    won = (positive > similarity).double() + 0.5 * (positive == similarity).double()
    return Wins(won[compared].sum(), compared.sum().double())


def in_one_bin(first: torch.Tensor, second: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Whether the first view of row i and the second of row j agree in pT, |eta| and class: bool `(B, B)`.

    Args:
        first: pT in GeV and eta of the first views, `(B, 2)`.
        second: the same of the second views.
        labels: class of each row, `(B,)`.
    """
    log_pt = (first[:, None, 0].log() - second[None, :, 0].log()).abs()
    eta = (first[:, None, 1].abs() - second[None, :, 1].abs()).abs()
    return (log_pt < PT_WINDOW) & (eta < ETA_WINDOW) & (labels[:, None] == labels)
