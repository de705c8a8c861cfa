"""Calorimeters: towers, their resolution, and the energy flow of tracks and neutral excesses.

Follows Delphes' SimpleCalorimeter (one section) and Calorimeter (an electromagnetic and a hadronic section with the
same towers), whose idea is described in J. de Favereau et al., JHEP 02 (2014) 057, section 2.3.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from resim.common.arrays import Floats, Integers
from resim.detector.card import CardModule
from resim.detector.energy_flow import Section, resolve, sections_of
from resim.detector.objects import Objects
from resim.detector.random import Stream
from resim.detector.segmentation import Segmentation

_TINY: Final = 1e-9
"""Energy fractions below this count as none (Delphes)."""
_DIRECTION_DRAW: Final = 100
"""Number of the draw for directions; those of the sections' energies are 0 and 1."""


@dataclass(frozen=True, slots=True)
class Hits:
    """Objects that leave energy in towers.

    Attributes:
        index: int64 `(n_hits,)`, rows of the objects.
        tower: int64 `(n_hits,)`, number of the tower in the segmentation; after `Towers.group`, row of the tower.
        fractions: float64 `(n_sections, n_hits)`, fraction of the energy that the object leaves in each section.
    """

    index: Integers
    tower: Integers
    fractions: Floats

    def only_in(self, section: int) -> "Hits":
        """The hits that leave energy in this section and in no other."""
        depositing = self.fractions > _TINY
        alone = np.flatnonzero(depositing[section] & (depositing.sum(axis=0) == 1))
        return Hits(self.index[alone], self.tower[alone], self.fractions[:, alone])


@dataclass(frozen=True, slots=True)
class Towers:
    """The towers with a hit, event by event in the order of their numbers.

    Attributes:
        event: int64 `(n_towers,)`, event in the batch.
        number: int64 `(n_towers,)`, number of the tower in the segmentation.
        eta: float64 `(n_towers,)`, pseudorapidity of the centre.
    """

    event: Integers
    number: Integers
    eta: Floats

    @classmethod
    def group(cls, segmentation: Segmentation, event: Integers, number: Integers) -> tuple["Towers", Integers]:
        """The towers of hits, and the row of the tower of each hit, int64 `(n_hits,)`.

        Args:
            segmentation: the grid.
            event: int64 `(n_hits,)`, event of each hit.
            number: int64 `(n_hits,)`, number of its tower in the segmentation.
        """
        keys, rows = np.unique(event * segmentation.n_towers + number, return_inverse=True)
        numbers = keys % segmentation.n_towers
        return cls(keys // segmentation.n_towers, numbers, segmentation.centre_eta(numbers)), rows

    def sum(self, hits: Hits, values: Floats) -> Floats:
        """Sum of `values`, float64 `(n_hits,)`, over the hits of each tower: float64 `(n_towers,)`."""
        return np.bincount(hits.tower, weights=values, minlength=len(self.event)).astype(np.float64, copy=False)


@dataclass(frozen=True, slots=True)
class Calorimeter:
    """A calorimeter with energy flow: from particles and tracks to rescaled tracks and neutral candidates.

    Attributes:
        module: the module of the card.
        inputs: names of the arrays of particles and of tracks.
        outputs: names of the arrays of tracks and of the neutral candidates of every section.
        segmentation: the towers.
        sections: one section, or the electromagnetic and the hadronic one.
        smear_centre: True: a neutral candidate points to a random place in its tower; False: to the centre.
        scale_mass: True: rescaling a track scales its mass as well, so the velocity is kept; False: the mass is kept.
    """

    module: CardModule
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    segmentation: Segmentation
    sections: tuple[Section, ...]
    smear_centre: bool
    scale_mass: bool

    @classmethod
    def from_card(cls, module: CardModule) -> "Calorimeter":
        """Read the parameters of a SimpleCalorimeter or Calorimeter."""
        sections = sections_of(module)
        outputs = (module.text("EFlowTrackOutputArray", "eflowTracks"), *(section.output for section in sections))
        return cls(
            module=module.without_values(),
            inputs=(
                module.text("ParticleInputArray", "ParticlePropagator/particles"),
                module.text("TrackInputArray", "ParticlePropagator/tracks"),
            ),
            outputs=tuple(f"{module.name}/{output}" for output in outputs),
            segmentation=Segmentation.from_card(module),
            sections=sections,
            smear_centre=module.flag("SmearTowerCenter", True),
            scale_mass=module.kind == "Calorimeter",
        )

    def run(self, particles: Objects, tracks: Objects, stream: Stream) -> tuple[Objects, ...]:
        """Fill the towers and resolve them into tracks and neutral candidates.

        Args:
            particles: everything that reaches the calorimeter, whether its track was found or not.
            tracks: the tracks found; those outside the towers are lost.
            stream: random numbers.
        """
        tracks = tracks.select(self.segmentation.locate(tracks.outer_eta, tracks.outer_phi) >= 0)
        towers, deposits, measured = self._towers(particles, tracks)
        factor, neutrals = np.ones(len(tracks)), []
        for number, section in enumerate(self.sections):
            energy = towers.sum(deposits, deposits.fractions[number] * particles.energy[deposits.index])
            normal = stream.normal(towers.event, towers.number, number)
            energy, sigma = section.measure(self.module, towers.eta, energy, normal)
            alone = measured.only_in(number)
            excess, scale = resolve(
                section.thresholds, energy, sigma, *self._track_sums(number, towers, tracks, alone)
            )
            factor[alone.index] = scale[alone.tower]
            neutrals.append(self._neutrals(section, towers, excess, stream))
        return self._rescaled(tracks, measured, factor), *neutrals

    def _towers(self, particles: Objects, tracks: Objects) -> tuple[Towers, Hits, Hits]:
        """The towers that particles or tracks hit, and the hits of both."""
        deposits, measured = self._hits(particles), self._hits(tracks)
        events = np.concatenate([particles.event[deposits.index], tracks.event[measured.index]])
        towers, rows = Towers.group(self.segmentation, events, np.concatenate([deposits.tower, measured.tower]))
        n = len(deposits.index)
        return towers, replace(deposits, tower=rows[:n]), replace(measured, tower=rows[n:])

    def _hits(self, objects: Objects) -> Hits:
        fractions = np.array([section.fraction(objects.pdg_id) for section in self.sections])
        index = np.flatnonzero((fractions > _TINY).any(axis=0))
        tower = self.segmentation.locate(objects.outer_eta[index], objects.outer_phi[index])
        index, tower = index[tower >= 0], tower[tower >= 0]
        return Hits(index, tower, fractions[:, index])

    def _track_sums(self, number: int, towers: Towers, tracks: Objects, hits: Hits) -> tuple[Floats, Floats]:
        """Energy in GeV that tracks leave in a section, and its variance in GeV²: float64 `(n_towers,)` each."""
        energy, error = tracks.energy[hits.index], (tracks.resolution * tracks.energy)[hits.index]
        fraction = hits.fractions[number]
        # As in Delphes: the error is that of the fraction if sigma_calorimeter < sigma_track, else of all energy.
        better = self.sections[number].sigma(self.module, towers.eta[hits.tower], energy) < error
        return towers.sum(hits, fraction * energy), towers.sum(hits, (error * np.where(better, fraction, 1.0)) ** 2)

    def _rescaled(self, tracks: Objects, measured: Hits, factor: Floats) -> Objects:
        """The tracks with new momenta, without those that leave energy in both sections, which Delphes drops."""
        kept = np.ones(len(tracks), bool)
        kept[measured.index[(measured.fractions > _TINY).sum(axis=0) > 1]] = False
        mass = tracks.mass * factor if self.scale_mass else None
        return tracks.with_pt(tracks.pt * factor, mass).select(kept)

    def _neutrals(self, section: Section, towers: Towers, excess: Floats, stream: Stream) -> Objects:
        """Massless candidates of the excesses above 0; both sections of a tower point to the same place."""
        rows = np.flatnonzero(excess)
        event, number, energy = towers.event[rows], towers.number[rows], excess[rows]
        middle = np.full(len(rows), 0.5)
        parts = stream.uniform(event, number, _DIRECTION_DRAW) if self.smear_centre else (middle, middle)
        eta, phi = self.segmentation.point(number, *parts)
        return Objects.of(
            event=event,
            item=number,
            pdg_id=np.full(len(rows), section.pdg_id, np.int32),
            energy=energy,
            pt=energy / np.cosh(eta),
            ux=np.cos(phi),
            uy=np.sin(phi),
            slope=np.sinh(eta),
            outer_eta=eta,
            outer_phi=phi,
        )
