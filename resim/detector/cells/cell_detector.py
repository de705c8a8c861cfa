"""The detector of cells: from generated particles to cells, clusters, tracks and particle-flow candidates."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from resim.card.calorimeter_card import CalorimeterCard, read_calorimeter
from resim.common.arrays import Integers
from resim.detector.cells.arrivals import Arrivals
from resim.detector.cells.energy_flow import EnergyFlow
from resim.detector.cells.geometry import Cells
from resim.detector.cells.media import Stack
from resim.detector.cells.quanta import Sampler, prepared
from resim.detector.cells.readout import CellHits, Readout, Tracks, clusters_of, hits_of
from resim.detector.cells.showers import ShowerModel
from resim.detector.cells.topoclusters import Clustered, cluster_cells
from resim.detector.cells.tracker import TrackFinder, crossings
from resim.detector.detector import candidates_of, check_particles, checked_seeds, event_groups
from resim.detector.objects import Objects, concatenate
from resim.detector.propagation import Cylinder, ParticlePropagator
from resim.detector.random import Stream
from resim.particles import Candidates, Particles


@dataclass(frozen=True, slots=True)
class CellDetector:
    """A tracker in a solenoid inside a calorimeter of cells.

    Attributes:
        path: the card.
        card: what it says.
        stack: the slabs of the calorimeter.
        cells: its cells.
        showers: what particles leave in it.
        sampler: throws deposits into the cells.
        tracks: finds the tracks.
        flow: makes candidates.
        notes: what in the card is allowed, but hardly meant: nothing.
    """

    path: Path
    card: CalorimeterCard
    stack: Stack
    cells: Cells
    showers: ShowerModel
    sampler: Sampler
    tracks: TrackFinder
    flow: EnergyFlow
    notes: tuple[str, ...] = ()

    @classmethod
    def from_card(cls, path: str | Path) -> Self:
        """Read a calorimeter card.

        Raises:
            InputError: the card is wrong.
        """
        card = read_calorimeter(Path(path))
        stack, cells = Stack.of(card), Cells.of(card)
        parts = (
            ShowerModel(card, stack),
            Sampler.of(card, stack, cells),
            TrackFinder.of(card.tracker),
            EnergyFlow.of(card, stack),
        )
        return cls(Path(path), card, stack, cells, *parts)

    def run(self, particles: Particles, seeds: Sequence[int] | npt.NDArray[Any]) -> Candidates:
        """Particle-flow candidates of a batch of events, as `resim.detector.Detector.run`."""
        return self.read_out(particles, seeds).candidates

    def read_out(self, particles: Particles, seeds: Sequence[int] | npt.NDArray[Any]) -> Readout:
        """Cells, clusters, tracks and candidates of a batch of events.

        What an event gives depends on the event, its seed and the card only, not on the batch that it is in.

        Args:
            particles: generated stable particles.
            seeds: `(n_events,)`, integers 0 ... 2⁶⁴ - 1.

        Raises:
            InputError: wrong seeds, or particles that are not physical.
        """
        keys = checked_seeds(seeds, particles.n_events)
        check_particles(particles)
        found: list[tuple[int, Clustered]] = []
        tracks: list[Tracks] = []
        for events, group in event_groups(particles, particles.offsets):
            arriving, arrivals = self._arrivals(group)
            found += self._clustered(arrivals, keys[events], events.start)
            tracks.append(self._tracks(arriving, arrivals, keys[events], events.start))
        return readout_of(_hits(found, self.cells), joined(tracks), self.card, self.flow, particles.n_events)

    def _arrivals(self, particles: Particles) -> tuple[Objects, Arrivals]:
        """The particles that reach the calorimeter, event by event."""
        radius = self.card.radius
        half_length = radius * np.sinh(self.card.abs_eta_barrel)
        inside = Cylinder(1e-3 * radius, 1e-3 * half_length)
        propagator = ParticlePropagator(("particles",), ("arriving",), inside, inside, self.card.tracker.field)
        objects = propagator.run(particles, stream=Stream(np.empty(0, np.uint64), 0))[0]
        objects = objects.select(np.abs(objects.outer_eta) < self.card.abs_eta_max)
        objects = objects.select(np.lexsort((objects.item, objects.event)))
        return objects, Arrivals.of(objects, radius, half_length)

    def _clustered(
        self, arrivals: Arrivals, seeds: npt.NDArray[np.uint64], first: int
    ) -> list[tuple[int, Clustered]]:
        """The clusters of every event of a group, with its number in the batch."""
        deposits = self.showers.deposits(arrivals, Stream.of(seeds, "showers"))
        rows = prepared(deposits, arrivals)
        offsets = np.searchsorted(arrivals.event[deposits.particle], np.arange(len(seeds) + 1))
        quanta, noise = (Stream.of(seeds, name).module for name in ("quanta", "noise"))
        energies = np.empty(len(self.cells), np.float32)
        found = []
        for event, seed in enumerate(seeds):
            energies.fill(0)
            self.sampler.throw(rows[offsets[event] : offsets[event + 1]], seed, quanta, energies)
            found.append((first + event, cluster_cells(energies, self.cells, self.card.clusters, seed, noise)))
        return found

    def _tracks(self, arriving: Objects, arrivals: Arrivals, seeds: npt.NDArray[np.uint64], first: int) -> Tracks:
        charged = np.flatnonzero(arrivals.charged)
        found, kept = self.tracks.find(arriving.select(charged), Stream.of(seeds, "tracks"))
        eta, phi = crossings(arrivals, self.stack)
        rows = charged[kept]
        return Tracks(replace(found, event=found.event + first), eta[rows], phi[rows])


def readout_of(hits: CellHits, tracks: Tracks, card: CalorimeterCard, flow: EnergyFlow, n_events: int) -> Readout:
    """What a detector tells that has these cells and tracks: clusters and candidates beside them.

    Args:
        hits: cells; their clusters are numbered from 0 without a gap, by ascending event.
        tracks: tracks, event by event.
        card: of the calorimeter.
        flow: makes candidates.
        n_events: number of events in the batch.
    """
    clusters = clusters_of(hits, len(card.layers))
    neutral = flow.neutral(tracks, clusters, n_events)
    return Readout(candidates_of(concatenate([tracks.objects, neutral]), n_events), hits, clusters, tracks)


def joined(parts: Sequence[Tracks]) -> Tracks:
    """The tracks of one part after those of the other; one part at least."""
    objects = concatenate([part.objects for part in parts])
    return Tracks(objects, np.concatenate([part.eta for part in parts]), np.concatenate([part.phi for part in parts]))


def _hits(found: Sequence[tuple[int, Clustered]], cells: Cells) -> CellHits:
    """The cells of all events; clusters counted through the batch."""
    counts: Integers = np.array([0, *(int(c.cluster.max(initial=-1)) + 1 for _, c in found)])
    before = np.cumsum(counts)
    none = np.empty(0, np.int64)  # there may be no events
    event = np.repeat(np.array([number for number, _ in found], np.int64), [len(c.cell) for _, c in found] or none)
    cluster = np.concatenate([none, *(c.cluster + b for (_, c), b in zip(found, before[:-1], strict=True))])
    cell = np.concatenate([none, *(c.cell for _, c in found)])
    energy = np.concatenate([np.empty(0, np.float32), *(c.energy for _, c in found)])
    return hits_of(cells, event, cell, energy, cluster)
