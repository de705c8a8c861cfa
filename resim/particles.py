"""Particles of a batch of events as flat arrays."""

from dataclasses import dataclass, fields
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from resim.common.arrays import Booleans, Floats
from resim.common.ragged import offsets_of
from resim.common.units import INVISIBLE_PDG_IDS

_INVISIBLE: Final = np.array(sorted(INVISIBLE_PDG_IDS), np.int32)


@dataclass(frozen=True, slots=True)
class Particles:
    """Stable particles of a batch of events; event *i* holds `offsets[i]:offsets[i + 1]` of every other array.

    Attributes:
        offsets: int64 `(n_events + 1,)`.
        px, py, pz, energy, mass: float64 `(n_particles,)`, GeV.
        pdg_id: int32 `(n_particles,)`.
        charge: float64 `(n_particles,)`, in units of e.
        vx, vy, vz: float64 `(n_particles,)`, production vertex in mm.
    """

    offsets: npt.NDArray[np.int64]
    px: Floats
    py: Floats
    pz: Floats
    energy: Floats
    mass: Floats
    pdg_id: npt.NDArray[np.int32]
    charge: Floats
    vx: Floats
    vy: Floats
    vz: Floats

    @property
    def n_events(self) -> int:
        """Number of events, empty ones included."""
        return len(self.offsets) - 1

    @property
    def visible(self) -> npt.NDArray[np.bool_]:
        """Which particles a detector can see by default: all but neutrinos, dark matter ..., `(n_particles,)`."""
        return ~np.isin(np.abs(self.pdg_id), _INVISIBLE)

    @property
    def pt(self) -> Floats:
        """Transverse momentum `(n_particles,)`, GeV."""
        return np.hypot(self.px, self.py)

    @property
    def eta(self) -> Floats:
        """Pseudorapidity `(n_particles,)`; infinite along the beam."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.arcsinh(self.pz / self.pt)

    @property
    def phi(self) -> Floats:
        """Azimuth `(n_particles,)` in (-pi, pi]."""
        return np.arctan2(self.py, self.px)

    def select(self, mask: npt.NDArray[np.bool_]) -> Self:
        """The particles where the mask, bool `(n_particles,)`, is true, in the same events."""
        return self.take(np.flatnonzero(mask), offsets_of(mask)[self.offsets])

    def take(self, indices: npt.NDArray[np.int64], offsets: npt.NDArray[np.int64]) -> Self:
        """The particles with these indices, int64 `(n,)`, in the groups of these offsets, such as events or jets."""
        columns = {f.name: getattr(self, f.name)[indices] for f in fields(self) if f.name != "offsets"}
        return type(self)(offsets=offsets, **columns)

    def events(self, first: int, last: int) -> Self:
        """The particles of the events `first:last`."""
        rows = slice(self.offsets[first], self.offsets[last])
        columns = {f.name: getattr(self, f.name)[rows] for f in fields(self) if f.name != "offsets"}
        return type(self)(offsets=self.offsets[first : last + 1] - self.offsets[first], **columns)


@dataclass(frozen=True, slots=True)
class Candidates(Particles):
    """Particles as a detector reconstructs them: tracks, photons (PDG id 22) and neutral hadrons (PDG id 0).

    Tracks have the PDG id, the charge and the mass of the generated particle. The vertex of a track is its measured
    point of closest approach to the beam, that of other candidates the origin.

    Attributes:
        d0, dz: float64 `(n_particles,)`, as from `impact_parameters`, mm; 0 without a track.
        d0_err, dz_err: float64 `(n_particles,)`, their resolutions, mm; 0 if the detector measures them exactly.
        origin: int64 `(n_particles,)`, number in its event of the generated particle of a track; -1 for other
            candidates, for tracks of pile-up, and where it is not known.
    """

    d0: Floats
    dz: Floats
    d0_err: Floats
    dz_err: Floats
    origin: npt.NDArray[np.int64]


def impact_parameters(particles: Particles) -> tuple[Floats, Floats]:
    """Transverse and longitudinal impact parameters of straight tracks, mm, with respect to the origin.

    d0 = (x py - y px)/pT and dz = z - (x px + y py) pz/pT² (the point of closest approach in the transverse
    plane). The curvature in a magnetic field belongs to the detector stage. Neutral particles have 0.

    Returns:
        d0 and dz, each `(n_particles,)`.
    """
    pt = particles.pt
    charged = (particles.charge != 0) & (pt > 0)
    ux, uy = (np.divide(p, pt, out=np.zeros_like(pt), where=charged) for p in (particles.px, particles.py))
    slope = np.divide(particles.pz, pt, out=np.zeros_like(pt), where=charged)
    d0 = particles.vx * uy - particles.vy * ux
    dz = particles.vz - (particles.vx * ux + particles.vy * uy) * slope
    return d0, np.where(charged, dz, 0.0)


def particle_kinds(pdg_id: npt.NDArray[Any], charge: npt.NDArray[Any]) -> dict[str, Booleans]:
    """What a detector tells apart: kind → which particles are of it, bool `(n_particles,)`; each is of one kind.

    >>> kinds = particle_kinds(np.array([211, 22, -11, 0]), np.array([1, 0, 1, 0]))
    >>> [name for i in range(4) for name, of_kind in kinds.items() if of_kind[i]]
    ['charged hadron', 'photon', 'electron', 'neutral hadron']
    """
    number = np.abs(pdg_id)
    found = {"photon": number == 22, "electron": number == 11, "muon": number == 13}
    hadron = ~(found["photon"] | found["electron"] | found["muon"])
    return {"charged hadron": hadron & (charge != 0), "neutral hadron": hadron & (charge == 0)} | found
