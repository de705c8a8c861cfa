"""Match jets to hard partons: one jet per parton, nearest pairs first."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from resim.angles import wrap

NO_JET: Final = "no_jet"
"""No jet inside the cuts lies within the matching distance of the parton."""
JET_TAKEN: Final = "jet_taken"
"""Every such jet is nearer to another parton of the event."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Match:
    """Jets of the partons of one event.

    Attributes:
        jet: int64 `(n_partons,)`, index of the jet or -1.
        taken: bool `(n_partons,)`, there were jets near but other partons have them.
    """

    jet: npt.NDArray[np.int64]
    taken: npt.NDArray[np.bool_]


def delta_r(rapidity_a: Floats, phi_a: Floats, rapidity_b: Floats, phi_b: Floats) -> Floats:
    """Distance in rapidity and azimuth; the azimuth is periodic.

    >>> round(float(delta_r(np.array(0.0), np.array(3.1), np.array(0.0), np.array(-3.1))), 3)
    0.083
    """
    distance: Floats = np.hypot(rapidity_a - rapidity_b, wrap(phi_a - phi_b))
    return distance


def match(distance: Floats, largest: float) -> Match:
    """Assign jets to partons in the order of their distance, each jet and each parton once.

    Args:
        distance: `(n_partons, n_jets)`, Delta R of every parton to every jet.
        largest: pairs at this distance or beyond are never matched.
    """
    jet = np.full(len(distance), -1, dtype=np.int64)
    near = np.argwhere(distance < largest)
    taken: set[int] = set()
    for i, j in near[np.argsort(distance[tuple(near.T)], kind="stable")].tolist():
        if jet[i] < 0 and j not in taken:
            jet[i] = j
            taken.add(j)
    had_some = np.isin(np.arange(len(distance)), near[:, 0])
    return Match(jet, had_some & (jet < 0))
