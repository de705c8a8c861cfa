"""Jets of events: constituents of a file that holds whole events are clustered, and the hardest jets become rows."""

import numpy as np
import numpy.typing as npt

from resim.common.arrays import Arrays, Integers
from resim.common.ragged import offsets_of
from resim.formats.mapping_card import ClusterCard
from resim.jets.clustering import ClusteredJets, cluster, constituents_of
from resim.particles import Particles


def clustered_events(
    counts: Integers, found: Arrays, card: ClusterCard
) -> tuple[Integers, Integers, npt.NDArray[np.int64], Arrays]:
    """The hardest jets of every event.

    Args:
        counts: int64 `(n_events,)`, constituents of each event.
        found: columns of the constituents, `(n_constituents,)` each; `pt`, `eta`, `phi`, `energy` in GeV among them.
        card: how they are clustered.

    Returns:
        Event of each jet, int64 `(n_jets,)`, jets of an event by descending pT; constituents of the jets, int64,
        indices into `found`; offsets of the jets in them, int64 `(n_jets + 1,)`; and `pt`, `eta`, `phi`, `mass`,
        `energy` of the jets, float64 `(n_jets,)` each, in GeV.
    """
    particles = _particles(offsets_of(counts), found)
    jets = cluster(particles, card.settings)
    event, place = _places(jets)
    chosen = np.flatnonzero(place < card.leading)
    members, offsets = constituents_of(particles, jets, chosen)
    names = ("pt", "eta", "phi", "mass", "energy")
    return event[chosen], members, offsets, {name: getattr(jets, name)[chosen] for name in names}


def _particles(offsets: npt.NDArray[np.int64], found: Arrays) -> Particles:
    pt, phi = found["pt"], found["phi"]
    nowhere = np.zeros(len(pt))
    return Particles(
        offsets=offsets,
        px=pt * np.cos(phi),
        py=pt * np.sin(phi),
        pz=pt * np.sinh(found["eta"]),
        energy=found["energy"],
        mass=nowhere,
        pdg_id=np.zeros(len(pt), np.int32),
        charge=nowhere,
        vx=nowhere,
        vy=nowhere,
        vz=nowhere,
    )


def _places(jets: ClusteredJets) -> tuple[Integers, Integers]:
    """Event of every jet, and its place there by descending pT, int64 `(n_jets,)` each."""
    counts = np.diff(jets.offsets)
    event = np.repeat(np.arange(len(counts)), counts)
    return event, np.arange(len(event)) - jets.offsets[:-1][event]
