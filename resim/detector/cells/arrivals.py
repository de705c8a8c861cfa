"""Particles where they enter the calorimeter: place, direction, and the energy that they can leave there."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from resim.common.arrays import Booleans, Floats, Integers
from resim.detector.objects import Objects

_BARYONS: Final = (1000, 10_000)
"""Range of the PDG ids of baryons (PDG, Monte Carlo particle numbering scheme); nuclei have larger ones."""
_MIN_COSINE: Final = 0.2
"""Particles that enter at a flatter angle to the line from the interaction point are taken to enter at this one."""
_SHORTEST: Final = 1e-6
"""mm; of a shorter chord the direction is not known."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Particles at the surface of the calorimeter.

    Attributes:
        event, item: int64 `(n,)`, event in the batch, and number of the particle in it.
        pdg_id: int32 `(n,)`.
        charged: bool `(n,)`.
        energy: float64 `(n,)`, what it can deposit, GeV: the kinetic energy of nucleons and of other baryons, the
            energy of mesons, which decay or are absorbed, that of annihilation with a nucleon of antibaryons.
        position: float64 `(n, 3)`, mm.
        direction: float64 `(n, 3)`, unit vectors.
        cosine: float64 `(n,)`, of the angle between direction and position.
    """

    event: Integers
    item: Integers
    pdg_id: npt.NDArray[np.int32]
    charged: Booleans
    energy: Floats
    position: Floats
    direction: Floats
    cosine: Floats

    @classmethod
    def of(cls, objects: Objects, radius: float, half_length: float) -> "Arrivals":
        """Propagated particles.

        Args:
            objects: generated particles that reach the surface of the tracker, in any order.
            radius: of the surface, mm.
            half_length: of the surface, mm.
        """
        position = _positions(objects, radius, half_length)
        direction = _directions(objects, position)
        cosine = np.einsum("ij,ij->i", position, direction) / np.linalg.norm(position, axis=1)
        charged = objects.charge != 0
        energy = _depositable(objects)
        cosine = np.maximum(cosine, _MIN_COSINE)
        return cls(objects.event, objects.item, objects.pdg_id, charged, energy, position, direction, cosine)

    def __len__(self) -> int:
        """Number of particles."""
        return len(self.event)


def _positions(objects: Objects, radius: float, half_length: float) -> Floats:
    slope = np.sinh(objects.outer_eta)
    with np.errstate(divide="ignore"):
        r = np.minimum(radius, half_length / np.abs(slope))
    return np.stack([r * np.cos(objects.outer_phi), r * np.sin(objects.outer_phi), r * slope], axis=1)


def _directions(objects: Objects, position: Floats) -> Floats:
    """Directions of flight at the surface.

    The tangents at the two ends of an arc are each other's mirror image about its chord, so the direction there
    follows from that at the closest approach to the beam, for lines and for arcs of any length.
    """
    chord = position[:, :2] - np.stack([objects.d0 * objects.uy, -objects.d0 * objects.ux], axis=1)
    length = np.maximum(np.linalg.norm(chord, axis=1), _SHORTEST)
    start = np.stack([objects.ux, objects.uy], axis=1)
    along = np.einsum("ij,ij->i", chord, start) / length**2
    transverse = 2 * along[:, None] * chord - start
    norm = np.sqrt(1 + objects.slope**2)
    return np.column_stack([transverse / norm[:, None], objects.slope / norm])


def _depositable(objects: Objects) -> Floats:
    pdg_id = np.abs(objects.pdg_id)
    baryon = (pdg_id > _BARYONS[0]) & (pdg_id < _BARYONS[1])
    sign = np.where(objects.pdg_id < 0, 1.0, -1.0)
    return np.maximum(objects.energy + np.where(baryon, sign * objects.mass, 0.0), 0.0)
