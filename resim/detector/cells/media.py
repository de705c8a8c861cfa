"""Media of a calorimeter: the constants of mixtures, and the slabs that a particle crosses from the inside out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from resim.card.calorimeter_card import CalorimeterCard, Material
from resim.common.arrays import Floats, Integers

_SCALE_ENERGY: Final = 21.2
"""Es of the Molière radius, MeV (PDG review, Passage of particles through matter, "Electromagnetic cascades")."""
_DEAD: Final = -1
"""Layer of a slab without cells."""


@dataclass(frozen=True, slots=True)
class Medium:
    """Constants of a mixture (Grindhammer and Peters, hep-ex/0001020, section 3.1; weights w by mass).

    Attributes:
        z: sum of w Z.
        radiation_length: 1 / sum of w / X0, mm.
        interaction_length: likewise, mm.
        critical_energy: X0 sum of w Ec / X0, GeV.
        moliere_radius: of 1 / sum of w Ec / X0, times Es, mm.
        ionization: of a minimum ionizing particle, sum of w dE/dx, GeV/mm.
    """

    z: float
    radiation_length: float
    interaction_length: float
    critical_energy: float
    moliere_radius: float
    ionization: float

    @classmethod
    def mixed(cls, materials: Mapping[str, Material], volumes: Mapping[str, float]) -> "Medium":
        """The mixture of materials by volume.

        Args:
            materials: by name.
            volumes: name of a material: its part of the volume, in any unit.
        """
        parts = [(materials[name], volume) for name, volume in volumes.items()]
        density = sum(m.density * volume for m, volume in parts) / sum(volumes.values())
        mass = sum(m.density * volume for m, volume in parts)
        weighted = [(m, m.density * volume / mass) for m, volume in parts]
        x0 = 1 / sum(w / m.radiation_length for m, w in weighted)
        losses = sum(w * m.critical_energy / m.radiation_length for m, w in weighted)  # MeV cm²/g
        mm = 10 / density  # of 1 g/cm²
        return cls(
            z=sum(w * m.z for m, w in weighted),
            radiation_length=x0 * mm,
            interaction_length=mm / sum(w / m.interaction_length for m, w in weighted),
            critical_energy=1e-3 * x0 * losses,
            moliere_radius=_SCALE_ENERGY / losses * mm,
            ionization=1e-3 / mm * sum(w * m.minimum_ionization for m, w in weighted),
        )


@dataclass(frozen=True, slots=True)
class Stack:
    """What a particle crosses, slab by slab: the layers, and the dead material between them.

    Attributes:
        layer: int64 `(n_slabs,)`, layer of cells of a slab; -1 for dead material.
        section: int64 `(n_slabs,)`, section of a slab; of dead material the one that follows.
        media: medium of every slab.
        edges: float64 `(n_slabs + 1,)`, mm from the surface, along the line from the interaction point.
        x0_edges, lambda_edges: the same in radiation and in interaction lengths.
    """

    layer: Integers
    section: Integers
    media: tuple[Medium, ...]
    edges: Floats
    x0_edges: Floats
    lambda_edges: Floats

    @classmethod
    def of(cls, card: CalorimeterCard) -> "Stack":
        """The slabs of a card."""
        layers: list[int] = []
        sections: list[int] = []
        media: list[Medium] = []
        lengths: list[float] = []
        for number, section in enumerate(card.sections):
            if section.in_front:
                layers.append(_DEAD)
                media.append(Medium.mixed(card.materials, {section.in_front.material: 1.0}))
                lengths.append(section.in_front.thickness)
            medium = Medium.mixed(card.materials, section.mixture)
            unit = medium.radiation_length if section.unit == "radiation_length" else medium.interaction_length
            first = 1 + max(layers, default=-1)
            layers += range(first, first + len(section.layers))
            media += [medium] * len(section.layers)
            lengths += [layer.depth * unit for layer in section.layers]
            sections += [number] * (len(layers) - len(sections))
        x0 = [length / medium.radiation_length for length, medium in zip(lengths, media, strict=True)]
        interaction = [length / medium.interaction_length for length, medium in zip(lengths, media, strict=True)]
        edges = [np.concatenate([[0.0], np.cumsum(column)]) for column in (lengths, x0, interaction)]
        return cls(np.array(layers), np.array(sections), tuple(media), *edges)

    def column(self, name: str) -> Floats:
        """A constant of the media, float64 `(n_slabs,)`."""
        return np.array([getattr(medium, name) for medium in self.media])
