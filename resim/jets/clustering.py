"""Jets of a batch of events with FastJet (arXiv:1111.6097)."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import awkward as ak
import numpy as np

from resim.card.jet_settings import JetSettings
from resim.common.arrays import Floats, Integers
from resim.common.ragged import indices_of_ranges, offsets_of, owners_of
from resim.common.silence import stdout_silenced
from resim.particles import Particles


@dataclass(frozen=True, slots=True)
class ClusteredJets:
    """Jets of a batch of events.

    Attributes:
        offsets: int64 `(n_events + 1,)`; the jets of event *i* are `offsets[i]:offsets[i + 1]`.
        px, py, pz, energy: float64 `(n_jets,)`, GeV.
        constituent_offsets: int64 `(n_jets + 1,)`; the constituents of jet *j* are
            `constituents[constituent_offsets[j]:constituent_offsets[j + 1]]`.
        constituents: int64 `(n_constituents,)`, indices into the clustered particles.
    """

    offsets: Integers
    px: Floats
    py: Floats
    pz: Floats
    energy: Floats
    constituent_offsets: Integers
    constituents: Integers

    @property
    def pt(self) -> Floats:
        """Transverse momentum, float64 `(n_jets,)`, GeV."""
        return np.hypot(self.px, self.py)

    @property
    def eta(self) -> Floats:
        """Pseudorapidity, float64 `(n_jets,)`."""
        return np.arcsinh(self.pz / self.pt)

    @property
    def phi(self) -> Floats:
        """Azimuth, float64 `(n_jets,)` in (-pi, pi]."""
        return np.arctan2(self.py, self.px)

    @property
    def rapidity(self) -> Floats:
        """Rapidity, float64 `(n_jets,)`."""
        return np.arctanh(self.pz / self.energy)

    @property
    def mass(self) -> Floats:
        """Mass, float64 `(n_jets,)`, GeV; 0 where rounding makes its square negative."""
        return np.sqrt(np.maximum(self.energy**2 - self.px**2 - self.py**2 - self.pz**2, 0.0))


def constituents_of(particles: Particles, jets: ClusteredJets, chosen: Integers) -> tuple[Integers, Integers]:
    """Constituents of chosen jets, those of a jet by descending pT.

    Args:
        particles: what was clustered.
        jets: its jets.
        chosen: int64 `(n,)`, indices of jets.

    Returns:
        Indices into the particles, int64 `(n_constituents,)`, and offsets of the jets in them, int64 `(n + 1,)`.
    """
    lengths = np.diff(jets.constituent_offsets)[chosen]
    members = jets.constituents[indices_of_ranges(jets.constituent_offsets[chosen], lengths)]
    offsets = offsets_of(lengths)
    pt = np.hypot(particles.px[members], particles.py[members])
    return members[np.lexsort((-pt, owners_of(offsets)))], offsets


def cluster(particles: Particles, settings: JetSettings) -> ClusteredJets:
    """Cluster every event with the card's algorithm and keep the jets that pass its `pt_min` and `abs_eta_max`.

    Args:
        particles: all of them are clustered, so take out neutrinos before.
        settings: algorithm, radius, cuts.

    Returns:
        The jets, by descending pT in each event.
    """
    fastjet = load_fastjet()
    algorithm = getattr(fastjet, f"{settings.algorithm}_algorithm")
    definition = fastjet.JetDefinition(algorithm, settings.radius)
    sequence = fastjet.ClusterSequence(_momenta(particles), definition)
    return _inside(_all_jets(sequence, particles.offsets, settings.pt_min), settings.abs_eta_max)


def subjets_of(offsets: Integers, momenta: Floats, radius: float) -> Integers:
    """The kT subjet of every constituent of some jets: int64 `(n_particles,)`, counted over all jets.

    Args:
        offsets: int64 `(n_jets + 1,)`.
        momenta: float64 `(n_particles, 4)`, (E, px, py, pz) in GeV.
        radius: R of the inclusive kT algorithm (hep-ph/9305266).
    """
    fastjet = load_fastjet()
    energy, px, py, pz = momenta.T
    definition = fastjet.JetDefinition(fastjet.kt_algorithm, radius)
    sequence = fastjet.ClusterSequence(momentum_array(offsets, px, py, pz, energy), definition)
    subjets = _all_jets(sequence, offsets, 0.0)
    found = np.empty(offsets[-1], np.int64)
    found[subjets.constituents] = owners_of(subjets.constituent_offsets)
    return found


def _all_jets(sequence: Any, particle_offsets: Integers, pt_min: float) -> ClusteredJets:
    """Jets above `pt_min` in FastJet's order.

    They are read from the buffers below FastJet's awkward arrays: operations on these cost 5 ms a batch.
    """
    jets, members = sequence.inclusive_jets(pt_min).layout, sequence.constituent_index(pt_min).layout.content
    offsets, constituent_offsets = jets.offsets.data, members.offsets.data
    first_particle = np.repeat(particle_offsets[:-1], np.diff(offsets))
    return ClusteredJets(
        offsets=offsets,
        constituent_offsets=constituent_offsets,
        constituents=members.content.data[: constituent_offsets[-1]]
        + np.repeat(first_particle, np.diff(constituent_offsets)),
        **{name: jets.content.content(field).data for name, field in _FIELDS.items()},
    )


def _inside(jets: ClusteredJets, abs_eta_max: float) -> ClusteredJets:
    """The jets with |eta| < `abs_eta_max`, by descending pT in each event."""
    event = owners_of(jets.offsets)
    order = np.lexsort((-jets.pt, event))
    order = order[np.abs(jets.eta[order]) < abs_eta_max]
    lengths = np.diff(jets.constituent_offsets)[order]
    return ClusteredJets(
        offsets=offsets_of(np.bincount(event[order], minlength=len(jets.offsets) - 1)),
        constituent_offsets=offsets_of(lengths),
        constituents=jets.constituents[indices_of_ranges(jets.constituent_offsets[order], lengths)],
        **{name: getattr(jets, name)[order] for name in _FIELDS},
    )


_FIELDS = {"px": "px", "py": "py", "pz": "pz", "energy": "E"}


def momentum_array(offsets: Integers, px: Floats, py: Floats, pz: Floats, energy: Floats) -> ak.Array:
    """Four-momenta as FastJet's awkward interface takes them.

    Args:
        offsets: int64 `(n_events + 1,)`.
        px: float64 `(n_particles,)`, GeV.
        py: likewise.
        pz: likewise.
        energy: likewise.
    """
    contents = [ak.contents.NumpyArray(np.ascontiguousarray(x)) for x in (px, py, pz, energy)]
    record = ak.contents.RecordArray(contents, list(_FIELDS.values()))
    return ak.Array(ak.contents.ListOffsetArray(ak.index.Index64(offsets), record))


def _momenta(particles: Particles) -> ak.Array:
    return momentum_array(particles.offsets, particles.px, particles.py, particles.pz, particles.energy)


@lru_cache(maxsize=1)
def load_fastjet() -> Any:
    """Import FastJet and make it print its banner now, unseen: stdout is for results."""
    import fastjet

    with stdout_silenced():
        particle = momentum_array(np.array([0, 1]), *(np.array([x]) for x in (1.0, 0.0, 0.0, 1.0)))
        fastjet.ClusterSequence(particle, fastjet.JetDefinition(fastjet.antikt_algorithm, 0.4)).inclusive_jets(0.0)
    return fastjet
