"""What particles leave in the calorimeter: showers and tracks of ionization, each a number of quanta of energy.

A deposit is made of quanta whose energy is a² GeV where a is the sampling term: if their number is a Poisson number,
sigma / E = a / sqrt(E / GeV) follows, in every cell and in their sum.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from resim.card.calorimeter_card import CalorimeterCard
from resim.common.arrays import Booleans, Floats, Integers
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
        maximum: float64, depth of the maximum of an electromagnetic shower from its start.
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


def deposits_of(arrivals: Arrivals, card: CalorimeterCard, stack: Stack, stream: Stream) -> Deposits:
    """What a batch of particles leaves.

    Photons convert after 9/7 radiation lengths on average and go on as electrons. Muons ionize all along. Hadrons
    shower after an interaction length on average; charged ones ionize until then.

    Args:
        arrivals: the particles.
        card: the calorimeter.
        stack: its slabs.
        stream: random numbers.

    Returns:
        Deposits in the order of the particles.
    """
    pdg_id = np.abs(arrivals.pdg_id)
    electron, muon = (pdg_id == 11) | (pdg_id == 22), pdg_id == 13
    uniform, _ = stream.uniform(arrivals.event, arrivals.item, _START)
    path = -np.log1p(-uniform)
    depth = np.where(muon, np.inf, path)
    parts = [
        _electrons(arrivals, np.flatnonzero(electron), path, stack, stream),
        *_hadrons(arrivals, np.flatnonzero(~electron & ~muon), depth, card, stack, stream),
        *_ionization(arrivals, np.flatnonzero(arrivals.charged & ~electron), depth, stack),
    ]
    found = _concatenated(parts)
    found = found.select(np.lexsort((found.part, found.particle)))
    sections = np.array([section.constant for section in card.sections])
    normal = stream.normal(arrivals.event, arrivals.item, _GAIN)[found.particle]
    gain = np.maximum(1 + sections[_section_of(found, stack)] * normal, 0.0)
    return Deposits(*(gain if f.name == "gain" else getattr(found, f.name) for f in fields(found)))


def _electrons(arrivals: Arrivals, rows: Integers, path: Floats, stack: Stack, stream: Stream) -> Deposits:
    photon = arrivals.pdg_id[rows] == 22
    start = np.where(photon, electromagnetic.PAIR_PRODUCTION * path[rows], 0.0) * arrivals.cosine[rows]
    slab = _slab_at(stack.x0_edges, start)
    energy = arrivals.energy[rows]
    draws = [stream.normal(arrivals.event[rows], arrivals.item[rows], draw) for draw in (_PROFILE, _OTHER)]
    y = energy / stack.column("critical_energy")[slab]
    shape, maximum = electromagnetic.profile(y, stack.column("z")[slab], *draws)
    return _deposits(rows, ELECTROMAGNETIC, energy, start, shape, maximum / (shape - 1), maximum)


def _hadrons(
    arrivals: Arrivals, rows: Integers, depth: Floats, card: CalorimeterCard, stack: Stack, stream: Stream
) -> Sequence[Deposits]:
    """The electromagnetic and the other part of the showers that start inside the calorimeter."""
    start = depth * arrivals.cosine
    rows = rows[start[rows] < stack.lambda_edges[-1]]
    begin = start[rows]
    energy = arrivals.energy[rows] - _lost(arrivals, rows, begin, stack)
    rows, begin, energy = (column[energy > 0] for column in (rows, begin, energy))
    uniform, _ = stream.uniform(arrivals.event[rows], arrivals.item[rows], _FRACTION)
    fraction = hadronic.em_fraction(energy, uniform, card.hadrons)
    shape = hadronic.shape(energy)
    em_shape = np.maximum(shape, electromagnetic.LEAST_SHAPE)
    begin_x0 = np.interp(begin, stack.lambda_edges, stack.x0_edges)
    scale = np.full(len(rows), 1 / hadronic.EM_RATE)
    em = _deposits(rows, ELECTROMAGNETIC, fraction * energy, begin_x0, em_shape, scale, (em_shape - 1) * scale)
    other = _deposits(rows, HADRONIC, (1 - fraction) * energy, begin, shape, 1 / hadronic.rate(energy), 0 * scale)
    return em.select(fraction > 0), other


def _ionization(arrivals: Arrivals, rows: Integers, depth: Floats, stack: Stack) -> Sequence[Deposits]:
    """Ionization in every slab up to the start of the shower, and as long as the kinetic energy lasts."""
    end = np.interp(depth[rows] * arrivals.cosine[rows], stack.lambda_edges, stack.edges)
    left = arrivals.energy[rows].copy()
    found = []
    for slab, (low, high) in enumerate(zip(stack.edges[:-1], stack.edges[1:], strict=True)):
        length = np.clip(end - low, 0.0, high - low)
        loss = np.minimum(length / arrivals.cosine[rows] * stack.media[slab].ionization, left)
        left -= loss
        some = np.flatnonzero((loss > 0) & (stack.layer[slab] >= 0))
        zeros = np.zeros(len(some))
        made = _deposits(rows[some], IONIZATION, loss[some], zeros + low, zeros, length[some], zeros)
        made.part[:] += slab
        found.append(made)
    return found


def _lost(arrivals: Arrivals, rows: Integers, start: Floats, stack: Stack) -> Floats:
    """Energy that charged particles lose by ionization before their shower starts, GeV."""
    before = np.concatenate([[0.0], np.cumsum(np.diff(stack.edges) * stack.column("ionization"))])
    loss = np.interp(start, stack.lambda_edges, before) / arrivals.cosine[rows]
    return np.where(arrivals.charged[rows], loss, 0.0)


def _deposits(
    particle: Integers, kind: int, energy: Floats, start: Floats, shape: Floats, scale: Floats, maximum: Floats
) -> Deposits:
    numbers = np.full(len(particle), kind)
    return Deposits(particle, numbers, numbers.copy(), energy, np.ones(len(particle)), start, shape, scale, maximum)


def _concatenated(parts: Sequence[Deposits]) -> Deposits:
    return Deposits(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Deposits)))


def _slab_at(edges: Floats, depth: Floats) -> Integers:
    return np.clip(np.searchsorted(edges, depth, side="right") - 1, 0, len(edges) - 2)


def _section_of(deposits: Deposits, stack: Stack) -> Integers:
    """Section in which a deposit begins, int64 `(n,)`."""
    edges = np.stack([stack.x0_edges, stack.lambda_edges, stack.edges])
    found = np.empty(len(deposits), np.int64)
    for kind in (ELECTROMAGNETIC, HADRONIC, IONIZATION):
        mine = deposits.kind == kind
        found[mine] = stack.section[_slab_at(edges[kind], deposits.start[mine])]
    return found
