"""Does an encoder tell rows apart by substructure, or by pT, |eta| and class?

An encoder that only reads off the kinematics of a row has a low contrastive loss and ranks the other view of a jet
above nearly all other jets, but less often above those of like kinematics and class. How much less depends on the
views: one that reads pT alone is at one half in a bin only where they differ in pT by as much as the bin is wide.

Letters: B rows, P projected width.
"""

import math
from typing import Final, NamedTuple

import torch
from torch.nn import functional

from jetssl.common.collectives import share, total

PT_WINDOW: Final = 0.1
"""Largest distance in log pT of jets in one bin, so 10 %: about the resolution of a jet's pT, and what two showers of
one parton differ by."""
ETA_WINDOW: Final = 0.2
"""Largest distance in |eta|: half the radius of an R = 0.4 jet."""


ROWS_AT_ONCE: Final = 1024
"""Rows that are compared with all others at once: 80 MB of similarities among 20,000 rows."""


class PairAuc(NamedTuple):
    """Fraction of (anchor, positive, negative) triplets ranked correctly: s(anchor, positive) > s(anchor, negative).

    Anchor and positive are the two views of a row, the negative is the second view of another row, s the cosine
    similarity. Equal similarities count half; NaN if there is no triplet.
    """

    anywhere: torch.Tensor
    """float64 scalar, negatives of all other rows"""
    in_bin: torch.Tensor
    """float64 scalar, negatives of the same pT, |eta| and class as the anchor, see `in_one_bin`. Of rows whose own
    second view is in that bin, too: else an encoder that reads pT would rank other rows first"""


@torch.no_grad()
def pair_auc(
    first: torch.Tensor, second: torch.Tensor, kinematics: tuple[torch.Tensor, torch.Tensor], labels: torch.Tensor
) -> PairAuc:
    """Rank the positive of every row against its negatives, in blocks of rows; each process does its share of them.

    Args:
        first: one view of each row, `(B, P)`, the same on every process.
        second: another view of the same rows, `(B, P)`.
        kinematics: pT in GeV and eta of the first and of the second views, each `(B, 2)`.
        labels: class of each row, `(B,)`.
    """
    first, second = (functional.normalize(view.float(), dim=1) for view in (first, second))
    # Sorted by pT, what can lie in a bin with a block of rows lies in one range of columns.
    one, other = kinematics
    together = _near(one, other)
    order = other[:, 0].argsort()
    place, second, other = order.argsort(), second[order], other[order]
    counts = torch.zeros(2, 2, dtype=torch.float64, device=first.device)
    for rows in share(torch.split(one[:, 0].argsort(), ROWS_AT_ONCE)):
        similarity = first[rows] @ second.T
        positive = similarity.gather(1, place[rows, None])
        counts[0] += _counts(positive, similarity, order != rows[:, None])
        near = _range(one[rows, 0], other[:, 0])
        alike = in_one_bin(one[rows], other[near], labels[rows], labels[order[near]])
        alike &= (order[near] != rows[:, None]) & together[rows, None]
        counts[1] += _counts(positive, similarity[:, near], alike)
    counts = total(counts)
    return PairAuc(*(counts[:, 0] / counts[:, 1]))


def _counts(positive: torch.Tensor, negative: torch.Tensor, compared: torch.Tensor) -> torch.Tensor:
    """Triplets ranked correctly (equals count half), and all triplets: float64 `(2,)`."""
    wins = (negative < positive, negative <= positive, compared)
    below, not_above, of = (torch.count_nonzero(won & compared).double() for won in wins)
    return torch.stack([(below + not_above) / 2, of])


def _range(wanted: torch.Tensor, ascending: torch.Tensor) -> slice:
    """Range of `ascending` that holds all pT within the window of any of `wanted`, with a margin of 1 %."""
    factor = math.exp(1.01 * PT_WINDOW)
    ends = torch.stack([wanted.min() / factor, wanted.max() * factor])
    return slice(*torch.searchsorted(ascending.contiguous(), ends).tolist())


def in_one_bin(
    first: torch.Tensor, second: torch.Tensor, first_labels: torch.Tensor, second_labels: torch.Tensor
) -> torch.Tensor:
    """Whether jet i and jet j agree in pT, |eta| and class: bool `(B, B')`.

    Args:
        first: pT in GeV and eta, `(B, 2)`.
        second: the same of the other jets, `(B', 2)`.
        first_labels: class of each, `(B,)`.
        second_labels: the same of the other jets, `(B',)`.
    """
    return _near(first[:, None], second[None]) & (first_labels[:, None] == second_labels)


def _near(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Whether jets agree in pT and |eta|, the last axis: bool of the other axes."""
    log_pt = (first[..., 0].log() - second[..., 0].log()).abs()
    eta = (first[..., 1].abs() - second[..., 1].abs()).abs()
    return (log_pt < PT_WINDOW) & (eta < ETA_WINDOW)
