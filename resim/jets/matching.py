"""Match jets to hard partons: one jet per parton, nearest pairs first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from resim.card.generation_card import Jets as JetSettings
from resim.common.angles import wrap
from resim.common.ragged import Integers
from resim.hard_scatter.partons import FourMomentum, Parton
from resim.jets.clustering import Jets

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


DECAY_CHANNEL: Final = "decay_channel"
"""The tau of the row decays in another channel than in the root view."""


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


def match_partons(jets: Jets, partons: Sequence[Parton], scatter_of_parton: Integers, settings: JetSettings) -> Match:
    """Match the partons of a batch of hard scatters, event by event.

    Args:
        jets: jets of the batch.
        partons: the partons.
        scatter_of_parton: `(n_partons,)`, ascending, the event of each.
        settings: what a jet must be near, and how near.

    Returns:
        Indices into `jets`, for every parton.
    """
    jet = np.full(len(partons), -1, dtype=np.int64)
    taken = np.zeros(len(partons), dtype=bool)
    rapidity, phi = jets.rapidity, jets.phi
    for event in np.unique(scatter_of_parton).tolist():
        here = np.flatnonzero(scatter_of_parton == event)
        near = slice(jets.offsets[event], jets.offsets[event + 1])
        distance = np.array([_distances(partons[i], settings, rapidity[near], phi[near]) for i in here.tolist()])
        matched = match(distance, settings.match_delta_r)
        jet[here] = np.where(matched.jet < 0, -1, matched.jet + jets.offsets[event])
        taken[here] = matched.taken
    return Match(jet, taken)


def _distances(parton: Parton, settings: JetSettings, rapidity: Floats, phi: Floats) -> Floats:
    """Delta R of every jet to the parton, or to the farthest of its decay products."""
    momenta: Sequence[FourMomentum] = [(parton.px, parton.py, parton.pz, parton.energy)]
    if settings.match == "decay_products" and parton.products:
        momenta = parton.products
    px, py, pz, energy = np.array(momenta).T
    distance = delta_r(np.arctanh(pz / energy)[:, None], np.arctan2(py, px)[:, None], rapidity, phi)
    farthest: Floats = distance.max(axis=0)
    return farthest
