"""Energy mover's distance of two jets (arXiv:1902.02346, eq. 1), and bounds from below that cost nothing.

Letters: B jets, n and m constituents of two of them.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from jetssl.data.jets import Jets
from resim.common.arrays import Floats
from resim.common.errors import InputError


@dataclass(frozen=True, slots=True)
class EnergyFlow:
    """Where the transverse momentum of a jet goes."""

    pt: Floats
    """float64 `(n,)`, GeV"""
    place: Floats
    """float64 `(n, 2)`, (eta, phi) seen from the jet axis"""


def flows(jets: Jets) -> list[EnergyFlow]:
    """The flow of every jet."""
    place = np.stack([jets.d_eta, jets.d_phi], axis=1).astype(np.float64)
    cuts = jets.starts[1:]
    pairs = zip(np.split(jets.pt.astype(np.float64), cuts), np.split(place, cuts), strict=True)
    return [EnergyFlow(pt, where) for pt, where in pairs]


def energy_movers_distance(first: EnergyFlow, second: EnergyFlow, radius: float) -> float:
    r"""Least work that makes one jet into the other, in GeV.

    .. math:: \min_f \sum_{ij} f_{ij} \theta_{ij} / R + |\sum_i E_i - \sum_j E'_j|

    with pT for the energies and distances in (eta, phi). What one jet has too much goes to a place at the distance R
    from everywhere, which makes both sums equal.

    Args:
        first: one jet.
        second: another one.
        radius: R, half of the largest distance of two constituents at least; that of the jets.

    Raises:
        InputError: POT is not installed.
    """
    try:
        from ot import emd2
    except ImportError as error:
        raise InputError("the energy mover's distance needs POT; install the extra `pairing`") from error
    costs = np.ones((len(first.pt) + 1, len(second.pt) + 1))
    costs[:-1, :-1] = cdist(first.place, second.place) / radius
    costs[-1, -1] = 0
    total = max(first.pt.sum(), second.pt.sum())
    one, other = (np.append(pt, total - pt.sum()).clip(min=0) for pt in (first.pt, second.pt))
    return float(total * emd2(one / one.sum(), other / other.sum(), costs))


def bounding_numbers(jets: Jets, radius: float) -> Floats:
    """Numbers of each jet whose largest difference is no more than the distance of two jets, in GeV: `(B, 2)`.

    The work is at least what any function of the place that changes by no more than theta / R says: 1, which gives
    the difference in pT, and min(distance from the axis / R, 1).
    """
    angle = np.minimum(np.hypot(jets.d_eta, jets.d_phi) / radius, 1)
    return np.stack([jets.sums(jets.pt), jets.sums(jets.pt * angle)], axis=1).astype(np.float64)
