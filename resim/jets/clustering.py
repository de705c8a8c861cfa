"""Jets of a batch of events with FastJet (arXiv:1111.6097)."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import awkward as ak
import numpy as np
import numpy.typing as npt

from resim.card.generation_card import Jets as JetSettings
from resim.common.ragged import Integers, indices_of_ranges, owners_of
from resim.common.silence import stdout_silenced
from resim.particles import Floats, Particles, offsets_of


@dataclass(frozen=True, slots=True)
class Jets:
    """Jets of a batch of events; event *i* holds `offsets[i]:offsets[i + 1]`.

    Attributes:
        offsets: int64 `(n_events + 1,)`.
        px, py, pz, energy: float64 `(n_jets,)`, GeV.
        constituent_offsets: int64 `(n_jets + 1,)`.
        constituents: int64 `(n_constituents,)`, indices into the clustered particles, grouped by jet.
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
        """Transverse momentum `(n_jets,)`, GeV."""
        return np.hypot(self.px, self.py)

    @property
    def eta(self) -> Floats:
        """Pseudorapidity `(n_jets,)`."""
        return np.arcsinh(self.pz / self.pt)

    @property
    def phi(self) -> Floats:
        """Azimuth `(n_jets,)` in (-pi, pi]."""
        return np.arctan2(self.py, self.px)

    @property
    def rapidity(self) -> Floats:
        """Rapidity `(n_jets,)`."""
        return np.arctanh(self.pz / self.energy)

    @property
    def mass(self) -> Floats:
        """Mass `(n_jets,)`, GeV; 0 where rounding makes its square negative."""
        return np.sqrt(np.maximum(self.energy**2 - self.px**2 - self.py**2 - self.pz**2, 0.0))


def cluster(particles: Particles, settings: JetSettings) -> Jets:
    """Cluster every event with the card's algorithm and keep jets inside its pT and |eta| cuts.

    All particles given are clustered: take out the invisible ones first. Jets are ordered by descending pT.
    """
    fastjet = load_fastjet()
    algorithm = getattr(fastjet, f"{settings.algorithm}_algorithm")
    definition = fastjet.JetDefinition(algorithm, settings.radius)
    sequence = fastjet.ClusterSequence(_momenta(particles), definition)
    return _inside(_all_jets(sequence, particles.offsets, settings.pt_min), settings.abs_eta_max)


def _all_jets(sequence: Any, particle_offsets: Integers, pt_min: float) -> Jets:
    jets, members = sequence.inclusive_jets(pt_min), sequence.constituent_index(pt_min)
    offsets = offsets_of(ak.to_numpy(ak.num(jets, axis=1)))
    lengths = _flat(ak.num(members, axis=2))
    first_particle = np.repeat(particle_offsets[:-1], np.diff(offsets))
    return Jets(
        offsets=offsets,
        constituent_offsets=offsets_of(lengths),
        constituents=_flat(members) + np.repeat(first_particle, lengths),
        **{name: _flat(jets[field]) for name, field in _FIELDS.items()},
    )


def _inside(jets: Jets, abs_eta_max: float) -> Jets:
    """The jets inside |eta|, by descending pT in each event."""
    event = owners_of(jets.offsets)
    order = np.lexsort((-jets.pt, event))
    order = order[np.abs(jets.eta[order]) < abs_eta_max]
    lengths = np.diff(jets.constituent_offsets)[order]
    return Jets(
        offsets=offsets_of(np.bincount(event[order], minlength=len(jets.offsets) - 1)),
        constituent_offsets=offsets_of(lengths),
        constituents=jets.constituents[indices_of_ranges(jets.constituent_offsets[order], lengths)],
        **{name: getattr(jets, name)[order] for name in _FIELDS},
    )


_FIELDS = {"px": "px", "py": "py", "pz": "pz", "energy": "E"}


def momentum_array(offsets: Integers, px: Floats, py: Floats, pz: Floats, energy: Floats) -> ak.Array:
    """Ragged four-momenta in the form that FastJet's awkward interface takes."""
    contents = [ak.contents.NumpyArray(np.ascontiguousarray(x)) for x in (px, py, pz, energy)]
    record = ak.contents.RecordArray(contents, list(_FIELDS.values()))
    return ak.Array(ak.contents.ListOffsetArray(ak.index.Index64(offsets), record))


def _momenta(particles: Particles) -> ak.Array:
    return momentum_array(particles.offsets, particles.px, particles.py, particles.pz, particles.energy)


def _flat(array: ak.Array) -> npt.NDArray[Any]:
    flat: npt.NDArray[Any] = ak.to_numpy(ak.flatten(array, axis=None))
    return flat


@lru_cache(maxsize=1)
def load_fastjet() -> Any:
    """Import FastJet and let it print its banner where nobody looks: stdout is for results."""
    import fastjet

    with stdout_silenced():
        particle = momentum_array(np.array([0, 1]), *(np.array([x]) for x in (1.0, 0.0, 0.0, 1.0)))
        fastjet.ClusterSequence(particle, fastjet.JetDefinition(fastjet.antikt_algorithm, 0.4)).inclusive_jets(0.0)
    return fastjet
