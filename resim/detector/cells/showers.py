"""What particles leave in the calorimeter: showers and tracks of ionization, each a number of quanta of energy.

A deposit is made of quanta whose energy is a² GeV where a is the sampling term: if their number is a Poisson number,
sigma / E = a / sqrt(E / GeV) follows, in every cell and in their sum.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from resim.card.calorimeter_card import CalorimeterCard
from resim.common.arrays import Booleans, Floats, Integers
from resim.common.units import PHOTON
from resim.detector.cells import electromagnetic, hadronic
from resim.detector.cells.arrivals import Arrivals
from resim.detector.cells.media import Stack
from resim.detector.random import Stream

ELECTROMAGNETIC: Final = 0
HADRONIC: Final = 1
IONIZATION: Final = 2
"""Kinds of deposits; depth is measured in radiation lengths, interaction lengths, and mm."""
_START, _PROFILE, _OTHER, _FRACTION, _GAIN = range(5)
"""Draws of random numbers of a particle."""


@dataclass(frozen=True, slots=True)
class Deposits:
    """Energy that particles leave, one entry for each of a particle's showers and tracks of ionization, `(n,)` each.

    Attributes:
        particle: int64, index into the arrivals.
        kind: int64, ELECTROMAGNETIC, HADRONIC or IONIZATION.
        part: int64, tells the deposits of a particle apart.
        energy: float64, GeV.
        gain: float64, response of the calorimeter to it, without h / e: 1 but for the constant term.
        start: float64, depth where it begins, along the line from the interaction point, in the unit of its kind.
        shape: float64, of the gamma distribution of depth from there; 0 for ionization, which is uniform.
        scale: float64, its scale along the axis of the shower; the whole length of ionization.
        maximum: float64, depth of the maximum of an electromagnetic shower from its start; the mean depth of the
            electromagnetic part of a hadron, which is the sum of many showers.
    """

    particle: Integers
    kind: Integers
    part: Integers
    energy: Floats
    gain: Floats
    start: Floats
    shape: Floats
    scale: Floats
    maximum: Floats

    def __len__(self) -> int:
        """Number of deposits."""
        return len(self.particle)

    def select(self, chosen: npt.NDArray[np.int64] | Booleans) -> "Deposits":
        """The deposits chosen by a mask or by indices."""
        return Deposits(*(getattr(self, field.name)[chosen] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class _Profile:
    """Shape, scale and depth of the maximum of deposits, float64 `(n,)` each."""

    shape: Floats
    scale: Floats
    maximum: Floats


@dataclass(frozen=True, slots=True)
class ShowerModel:
    """What particles leave in a calorimeter.

    Attributes:
        card: the calorimeter.
        stack: its slabs.
    """

    card: CalorimeterCard
    stack: Stack

    def deposits(self, arrivals: Arrivals, stream: Stream) -> Deposits:
        """What a batch of particles leaves.

        Photons convert after 9/7 radiation lengths on average and go on as electrons. Muons ionize all along. Hadrons
        shower after an interaction length on average; charged ones ionize until then.

        Args:
            arrivals: the particles.
            stream: random numbers.

        Returns:
            Deposits in the order of the particles.
        """
        pdg_id = np.abs(arrivals.pdg_id)
        electron, muon = (pdg_id == 11) | (pdg_id == PHOTON), pdg_id == 13
        uniform, _ = stream.uniform(arrivals.event, arrivals.item, _START)
        path = -np.log1p(-uniform)
        depth = np.where(muon, np.inf, path)
        parts = [
            self._electrons(arrivals, np.flatnonzero(electron), path, stream),
            *self._hadrons(arrivals, np.flatnonzero(~electron & ~muon), depth, stream),
            *self._ionization(arrivals, np.flatnonzero(arrivals.charged & ~electron), depth),
        ]
        found = Deposits(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Deposits)))
        found = found.select(np.lexsort((found.part, found.particle)))
        constant = np.array([section.constant for section in self.card.sections])[self._sections(found)]
        normal = stream.normal(arrivals.event, arrivals.item, _GAIN)[found.particle]
        return replace(found, gain=np.maximum(1 + constant * normal, 0.0))

    def _electrons(self, arrivals: Arrivals, rows: Integers, path: Floats, stream: Stream) -> Deposits:
        photon = arrivals.pdg_id[rows] == PHOTON
        start = np.where(photon, electromagnetic.PAIR_PRODUCTION * path[rows], 0.0) * arrivals.cosine[rows]
        slab = _slab_at(self.stack.x0_edges, start)
        energy = arrivals.energy[rows]
        draws = [stream.normal(arrivals.event[rows], arrivals.item[rows], draw) for draw in (_PROFILE, _OTHER)]
        y = energy / self.stack.column("critical_energy")[slab]
        shape, maximum = electromagnetic.profile(y, self.stack.column("z")[slab], *draws)
        return _deposits(rows, ELECTROMAGNETIC, energy, start, _Profile(shape, maximum / (shape - 1), maximum))

    def _hadrons(self, arrivals: Arrivals, rows: Integers, depth: Floats, stream: Stream) -> Sequence[Deposits]:
        """The electromagnetic and the other part of the showers that start inside the calorimeter."""
        start = depth * arrivals.cosine
        rows = rows[start[rows] < self.stack.lambda_edges[-1]]
        begin = start[rows]
        energy = arrivals.energy[rows] - _lost(arrivals, rows, begin, self.stack)
        some = energy > 0
        rows, begin, energy = rows[some], begin[some], energy[some]
        uniform, _ = stream.uniform(arrivals.event[rows], arrivals.item[rows], _FRACTION)
        fraction = hadronic.em_fraction(energy, uniform, self.card.hadrons)
        shape = hadronic.shape(energy)
        scale = np.full(len(rows), 1 / hadronic.EM_RATE)
        em = _Profile(shape, scale, shape * scale)
        other = _Profile(shape, 1 / hadronic.rate(energy), 0 * shape)
        begin_x0 = np.interp(begin, self.stack.lambda_edges, self.stack.x0_edges)
        return (
            _deposits(rows, ELECTROMAGNETIC, fraction * energy, begin_x0, em).select(fraction > 0),
            _deposits(rows, HADRONIC, (1 - fraction) * energy, begin, other),
        )

    def _ionization(self, arrivals: Arrivals, rows: Integers, depth: Floats) -> Sequence[Deposits]:
        """Ionization in every slab up to the start of the shower, and as long as the kinetic energy lasts."""
        edges, cosine = self.stack.edges, arrivals.cosine[rows]
        end = np.interp(depth[rows] * cosine, self.stack.lambda_edges, edges)
        left = arrivals.energy[rows].copy()
        found = []
        for slab, (low, high) in enumerate(pairwise(edges)):
            length = np.clip(end - low, 0.0, high - low)
            loss = np.minimum(length / cosine * self.stack.media[slab].ionization, left)
            left -= loss
            some = np.flatnonzero((loss > 0) & (self.stack.layer[slab] >= 0))
            zeros = np.zeros(len(some))
            made = _deposits(rows[some], IONIZATION, loss[some], zeros + low, _Profile(zeros, length[some], zeros))
            found.append(replace(made, part=made.part + slab))
        return found

    def _sections(self, deposits: Deposits) -> Integers:
        """Section in which a deposit begins, int64 `(n,)`."""
        edges = (self.stack.x0_edges, self.stack.lambda_edges, self.stack.edges)
        found = np.empty(len(deposits), np.int64)
        for kind in (ELECTROMAGNETIC, HADRONIC, IONIZATION):
            mine = deposits.kind == kind
            found[mine] = self.stack.section[_slab_at(edges[kind], deposits.start[mine])]
        return found


def _lost(arrivals: Arrivals, rows: Integers, start: Floats, stack: Stack) -> Floats:
    """Energy that charged particles lose by ionization before their shower starts, GeV."""
    before = np.concatenate([[0.0], np.cumsum(np.diff(stack.edges) * stack.column("ionization"))])
    loss = np.interp(start, stack.lambda_edges, before) / arrivals.cosine[rows]
    return np.where(arrivals.charged[rows], loss, 0.0)


def _deposits(particle: Integers, kind: int, energy: Floats, start: Floats, profile: _Profile) -> Deposits:
    number, gain = np.full(len(particle), kind), np.ones(len(particle))
    return Deposits(particle, number, number, energy, gain, start, profile.shape, profile.scale, profile.maximum)


def _slab_at(edges: Floats, depth: Floats) -> Integers:
    return np.clip(np.searchsorted(edges, depth, side="right") - 1, 0, len(edges) - 2)
