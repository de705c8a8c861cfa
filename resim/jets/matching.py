"""Match jets to hard partons: nearest pairs first, each jet and each parton once."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from resim.card.jet_settings import JetSettings
from resim.common.angles import wrap
from resim.common.arrays import Floats, Integers
from resim.common.ragged import indices_of_ranges, offsets_of
from resim.hard_scatter.partons import FourMomentum, Parton
from resim.jets.clustering import ClusteredJets


@dataclass(frozen=True, slots=True)
class Match:
    """The jet of every parton.

    Attributes:
        jet: int64 `(n_partons,)`, index of the jet; -1 for none.
        taken: bool `(n_partons,)`, true if there are jets within the distance, but other partons have them.
    """

    jet: Integers
    taken: npt.NDArray[np.bool_]


def delta_r(rapidity_a: Floats, phi_a: Floats, rapidity_b: Floats, phi_b: Floats) -> Floats:
    """Delta R = √(Δy² + Δφ²), float64 of the common shape; the azimuths are periodic.

    >>> round(float(delta_r(np.array(0.0), np.array(3.1), np.array(0.0), np.array(-3.1))), 3)
    0.083
    """
    distance: Floats = np.hypot(rapidity_a - rapidity_b, wrap(phi_a - phi_b))
    return distance


def match_nearest(parton: Integers, jet: Integers, distance: Floats, n_partons: int, largest: float) -> Match:
    """Assign jets to partons in the order of their distance, each jet and each parton once.

    Args:
        parton: int64 `(n_pairs,)`, parton of every pair that may be matched.
        jet: int64 `(n_pairs,)`, its jet.
        distance: float64 `(n_pairs,)`, its Delta R. Of pairs at equal distance the first one wins.
        n_partons: number of partons.
        largest: pairs at this Delta R or above are never matched.
    """
    near = np.flatnonzero(distance < largest)
    nearest_first = near[np.argsort(distance[near], kind="stable")]
    jet_of: dict[int, int] = {}
    used: set[int] = set()
    for i, j in zip(parton[nearest_first].tolist(), jet[nearest_first].tolist(), strict=True):
        if i not in jet_of and j not in used:
            jet_of[i] = j
            used.add(j)
    matched = np.array([jet_of.get(i, -1) for i in range(n_partons)], dtype=np.int64)
    return Match(matched, (np.bincount(parton[near], minlength=n_partons) > 0) & (matched < 0))


def match_partons(
    jets: ClusteredJets, partons: Sequence[Parton], event_of_parton: Integers, settings: JetSettings
) -> Match:
    """Match the partons of a batch of events to jets of their events.

    Args:
        jets: jets of the batch.
        partons: the partons.
        event_of_parton: int64 `(n_partons,)`, event of each.
        settings: target of the matching and largest Delta R.

    Returns:
        Indices into `jets`, for every parton.
    """
    n_jets = np.diff(jets.offsets)[event_of_parton]
    parton = np.repeat(np.arange(len(partons)), n_jets)
    jet = indices_of_ranges(jets.offsets[event_of_parton], n_jets)
    targets = [_targets(p, settings) for p in partons]
    return match_nearest(parton, jet, _farthest(jets, jet, targets, parton), len(partons), settings.match_delta_r)


def _targets(parton: Parton, settings: JetSettings) -> Sequence[FourMomentum]:
    """What a jet must be near: the parton, or all of its decay products."""
    if settings.match == "decay_products" and parton.products:
        return parton.products
    return [(parton.px, parton.py, parton.pz, parton.energy)]


def _farthest(
    jets: ClusteredJets, jet: Integers, targets: Sequence[Sequence[FourMomentum]], parton: Integers
) -> Floats:
    """Delta R of every pair `(n_pairs,)`: that of the jet to the farthest target of the parton."""
    px, py, pz, energy = np.array(list(chain.from_iterable(targets)), np.float64).reshape(-1, 4).T
    rapidity, phi = np.arctanh(pz / energy), np.arctan2(py, px)
    jet_rapidity, jet_phi = jets.rapidity[jet], jets.phi[jet]
    n_targets = [len(momenta) for momenta in targets]
    offsets = offsets_of(n_targets)
    first, last = offsets[parton], offsets[parton + 1] - 1
    farthest = np.zeros(len(jet))
    for k in range(max(n_targets, default=0)):
        target = np.minimum(first + k, last)  # the last target again where a parton has fewer
        farthest = np.maximum(farthest, delta_r(rapidity[target], phi[target], jet_rapidity, jet_phi))
    return farthest
