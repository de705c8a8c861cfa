"""What flows between the modules of a detector: particles at the calorimeter, tracks, and neutral candidates."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from resim.common.arrays import Floats, Integers


@dataclass(frozen=True, slots=True)
class Objects:
    """Propagated particles, tracks or neutral candidates of a batch of events.

    All columns have the shape `(n,)` and are float64, but for `event`, `item` (int64), `pdg_id` (int32) and
    `subtracted` (bool).

    Attributes:
        event: event in the batch.
        item: number within the event, of the generated particle or of the tower of a neutral candidate.
        pdg_id: PDG id; 22 for photons and 0 for neutral hadrons that a calorimeter found.
        charge: whole units of e.
        mass, energy, pt: GeV.
        ux, uy: direction of the transverse momentum, a unit vector; of charged particles at the closest approach to
            the beam.
        slope: pz / pT.
        true_pt: pT of the generated particle, GeV.
        outer_eta, outer_phi: direction, seen from the origin, of the point where the particle leaves the tracker;
            the azimuth in rad.
        resolution: relative resolution of the momentum; 0 until a module sets it.
        d0, dz: transverse and longitudinal impact parameter, mm; true values until a module smears them.
        d0_err, dz_err: their resolutions, mm.
        subtracted: whether a TrackPileUpSubtractor took the track for pile-up (Delphes' `IsRecoPU`).
    """

    event: Integers
    item: Integers
    pdg_id: npt.NDArray[np.int32]
    charge: Floats
    mass: Floats
    energy: Floats
    pt: Floats
    ux: Floats
    uy: Floats
    slope: Floats
    true_pt: Floats
    outer_eta: Floats
    outer_phi: Floats
    resolution: Floats
    d0: Floats
    dz: Floats
    d0_err: Floats
    dz_err: Floats
    subtracted: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, **columns: npt.NDArray[Any]) -> Self:
        """Objects with these columns `(n,)`, and 0 in all others."""
        zeros = np.zeros(len(columns["event"]))
        columns.setdefault("subtracted", zeros.astype(bool))
        return cls(**{field.name: columns.get(field.name, zeros) for field in fields(cls)})

    def __len__(self) -> int:
        """Number of objects."""
        return len(self.event)

    @property
    def eta(self) -> Floats:
        """Pseudorapidity of the momentum, float64 `(n,)`."""
        return np.arcsinh(self.slope)

    @property
    def phi(self) -> Floats:
        """Azimuth of the momentum in (-pi, pi], rad, float64 `(n,)`."""
        return np.arctan2(self.uy, self.ux)

    def select(self, chosen: npt.NDArray[Any]) -> Self:
        """The objects chosen by a mask, bool `(n,)`, or by indices, int64 `(n_chosen,)`."""
        index = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen
        return type(self)(*(getattr(self, field.name)[index] for field in fields(self)))

    def with_pt(self, pt: Floats, mass: Floats | None = None) -> Self:
        """The objects with other transverse momenta and masses, float64 `(n,)`, GeV; energies follow from these."""
        mass = self.mass if mass is None else mass
        return replace(self, pt=pt, mass=mass, energy=np.sqrt(pt**2 * (1 + self.slope**2) + mass**2))


def concatenate(parts: Sequence[Objects]) -> Objects:
    """The objects of several arrays, one array after the other."""
    return Objects(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Objects)))
