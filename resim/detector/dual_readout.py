"""A calorimeter that measures all energy of a tower at once (Delphes' DualReadoutCalorimeter)."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from resim.common.arrays import Floats, Integers
from resim.detector.calorimeter import Towers
from resim.detector.card import CardModule
from resim.detector.energy_flow import Section, Thresholds, resolve, sections_of
from resim.detector.objects import Objects
from resim.detector.random import Stream
from resim.detector.segmentation import Segmentation
from resim.detector.tracking import lognormal

_TINY: Final = 1e-9
"""Energy fractions below this count as none (Delphes)."""
_ENERGY_DRAW, _DIRECTION_DRAW = 0, 100
_KAON_MASS: Final = 0.497611
"""GeV, the mass of every neutral hadron (Delphes)."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What is measured in every tower, `(n_towers,)` each.

    Attributes:
        energy: float64, GeV, 0 below the threshold.
        sigma: float64, GeV, resolution at the energy before the threshold.
        electromagnetic: bool, whether no particle left energy in its hadronic part.
    """

    energy: Floats
    sigma: Floats
    electromagnetic: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class DualReadoutCalorimeter:
    """One energy for each tower: with the electromagnetic resolution, or the hadronic one if a hadron is in it.

    As in Delphes (`modules/DualReadoutCalorimeter.cc`): an excess over the tracks becomes a photon in towers without
    hadronic energy, else a neutral hadron with the mass of a kaon, if it is more than a number of standard
    deviations; there is no other threshold, and without any error in tower and tracks no excess is significant.

    Attributes:
        module: the module of the card.
        inputs: names of the arrays of particles and of tracks.
        outputs: names of the arrays of tracks, photons and neutral hadrons.
        segmentation: the towers.
        sections: the electromagnetic and the hadronic fractions, resolutions and thresholds.
        smear_centre: True: a neutral candidate points to a random place in its tower; False: to the centre.
        smear_lognormal: True: measured energies are log-normal; False: normal, and 0 if they come out negative.
    """

    module: CardModule
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    segmentation: Segmentation
    sections: tuple[Section, ...]
    smear_centre: bool
    smear_lognormal: bool

    @classmethod
    def from_card(cls, module: CardModule) -> "DualReadoutCalorimeter":
        """Read the module's parameters."""
        sections = tuple(
            replace(section, energy_min=0.0, significance_min=module.number(f"{prefix}MinSignificance", 0.0))
            for prefix, section in zip(("ECal", "HCal"), sections_of(module), strict=True)
        )
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
            smear_lognormal=module.flag("SmearLogNormal", True),
        )

    def run(self, particles: Objects, tracks: Objects, stream: Stream) -> tuple[Objects, ...]:
        """Fill the towers and resolve them into tracks and neutral candidates.

        Args:
            particles: everything that reaches the calorimeter, whether its track was found or not.
            tracks: the tracks found; those outside the towers are lost.
            stream: random numbers.
        """
        tower = self.segmentation.locate(tracks.outer_eta, tracks.outer_phi)
        tracks, tower = tracks.select(tower >= 0), tower[tower >= 0]
        hit = self.segmentation.locate(particles.outer_eta, particles.outer_phi)
        particles, hit = self._depositing(particles, hit)
        events = np.concatenate([particles.event, tracks.event])
        towers, rows = Towers.group(self.segmentation, events, np.concatenate([hit, tower]))
        deposits, inside = rows[: len(hit)], rows[len(hit) :]
        found = self._measured(towers, particles, deposits, stream)
        excess, factor = self._resolved(towers, found, tracks, inside)
        measured = tracks.with_pt(tracks.pt * factor)
        photons, hadrons = (
            self._neutrals(towers, np.flatnonzero((excess > 0) & (found.electromagnetic == photon)), excess, stream)
            for photon in (True, False)
        )
        return measured, self._as(photons, self.sections[0], 0.0), self._as(hadrons, self.sections[1], _KAON_MASS)

    def _fractions(self, objects: Objects) -> tuple[Floats, Floats]:
        electromagnetic, hadronic = (section.fraction(objects.pdg_id) for section in self.sections)
        return electromagnetic, hadronic

    def _depositing(self, particles: Objects, tower: Integers) -> tuple[Objects, Integers]:
        """The particles that leave energy in a tower, and their towers."""
        electromagnetic, hadronic = self._fractions(particles)
        kept = (tower >= 0) & ((electromagnetic >= _TINY) | (hadronic >= _TINY))
        return particles.select(kept), tower[kept]

    def _sum(self, towers: Towers, rows: Integers, values: Floats) -> Floats:
        return np.bincount(rows, weights=values, minlength=len(towers.event)).astype(np.float64, copy=False)

    def _measured(self, towers: Towers, particles: Objects, rows: Integers, stream: Stream) -> Measured:
        electromagnetic, hadronic = (
            self._sum(towers, rows, fraction * particles.energy) for fraction in self._fractions(particles)
        )
        pure = hadronic <= 0
        true = electromagnetic + hadronic
        normal = stream.normal(towers.event, towers.number, _ENERGY_DRAW)
        sigma = self._sigma(pure, towers.eta, true)
        smeared = lognormal(true, sigma, normal) if self.smear_lognormal else np.maximum(true + sigma * normal, 0)
        sigma = self._sigma(pure, towers.eta, smeared)
        return Measured(np.where(smeared > self._minimum(pure) * sigma, smeared, 0.0), sigma, pure)

    def _sigma(self, electromagnetic: npt.NDArray[np.bool_], eta: Floats, energy: Floats) -> Floats:
        """Resolution in GeV of energies in GeV, of the kind of each tower."""
        sigma = np.zeros(len(energy))
        for section, rows in zip(self.sections, (electromagnetic, ~electromagnetic), strict=True):
            sigma[rows] = section.sigma(self.module, eta[rows], energy[rows])
        return sigma

    def _minimum(self, electromagnetic: npt.NDArray[np.bool_]) -> Floats:
        return np.where(electromagnetic, *(section.significance_min for section in self.sections))

    def _resolved(self, towers: Towers, found: Measured, tracks: Objects, rows: Integers) -> tuple[Floats, Floats]:
        """The excess of every tower in GeV, 0 if it is not significant, and the factor for each track."""
        electromagnetic, hadronic = self._fractions(tracks)
        seen = (electromagnetic > _TINY) | (hadronic > _TINY)
        share = electromagnetic + hadronic
        sigma = self._sigma(hadronic <= 0, towers.eta[rows], tracks.energy)
        error = tracks.resolution * tracks.energy
        variance = (error * np.where(sigma < error, share, 1.0)) ** 2
        on_tracks, variance = (
            self._sum(towers, rows[seen], values[seen]) for values in (share * tracks.energy, variance)
        )
        thresholds = Thresholds(0.0, self._minimum(found.electromagnetic))
        excess, factor = resolve(thresholds, found.energy, found.sigma, on_tracks, variance)
        exact = (variance == 0) & (found.sigma == 0)
        return np.where(exact, 0.0, excess), np.where(seen, factor[rows], 1.0)

    def _neutrals(self, towers: Towers, rows: Integers, excess: Floats, stream: Stream) -> Objects:
        """Candidates without a kind for the excesses of some towers."""
        event, number = towers.event[rows], towers.number[rows]
        middle = np.full(len(rows), 0.5)
        parts = stream.uniform(event, number, _DIRECTION_DRAW) if self.smear_centre else (middle, middle)
        eta, phi = self.segmentation.point(number, *parts)
        return Objects.of(
            event=event,
            item=number,
            energy=excess[rows],
            ux=np.cos(phi),
            uy=np.sin(phi),
            slope=np.sinh(eta),
            outer_eta=eta,
            outer_phi=phi,
        )

    def _as(self, found: Objects, section: Section, mass: float) -> Objects:
        """The candidates with the id of a section and a mass in GeV; without those of less energy."""
        found = found.select(found.energy > mass)
        momentum = np.sqrt(found.energy**2 - mass**2)
        columns = {"pdg_id": np.full(len(found), section.pdg_id, np.int32), "mass": np.full(len(found), mass)}
        return replace(found, pt=momentum / np.sqrt(1 + found.slope**2), **columns)
