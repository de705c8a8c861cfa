"""Deposits cut into quanta of energy, each thrown into a cell: compiled, one event at a time."""

import math
from dataclasses import dataclass
from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt

from resim.card.calorimeter_card import CalorimeterCard
from resim.common.arrays import Floats, Floats32, Integers
from resim.detector.cells.arrivals import Arrivals
from resim.detector.cells.geometry import Cells
from resim.detector.cells.media import Stack
from resim.detector.cells.philox import Words, block, gamma, poisson, uniform
from resim.detector.cells.showers import ELECTROMAGNETIC, HADRONIC, IONIZATION, Deposits

_SLAB: Final = np.dtype(
    [
        ("layer", "i8"),
        ("edge", "f8"),  # where it begins, in the unit of the kind of deposit
        ("mm", "f8"),  # the same in mm
        ("quantum", "f8"),
        ("signal", "f8"),
        ("radius", "f8"),  # mm of its unit across the axis
        ("z", "f8"),
    ]
)
_DEPOSIT: Final = np.dtype(
    [
        ("item", "u8"),
        ("part", "u8"),
        ("kind", "i8"),
        ("energy", "f8"),
        ("gain", "f8"),
        ("start", "f8"),
        ("shape", "f8"),
        ("scale", "f8"),
        ("maximum", "f8"),
        ("x", "f8"),
        ("y", "f8"),
        ("z", "f8"),
        ("ux", "f8"),
        ("uy", "f8"),
        ("uz", "f8"),
        ("cosine", "f8"),
        ("log_energy", "f8"),
    ]
)
_FEW: Final = 25
"""Quanta of a deposit that have a place each."""
_TOGETHER: Final = 3
"""Quanta that share a place where there are many: 33 places for a GeV in liquid argon, where Grindhammer and Peters
take about 10 ln Z. The energy of a deposit fluctuates as the number of its quanta in any case."""
_LARGEST_TAU: Final = 3.0
"""Depth in units of that of the maximum from which on showers grow no wider, chosen here: the exponential of the tail
describes their bulk, and soft showers whose maximum fluctuates to the surface have energy at ten times its depth."""


@dataclass(frozen=True, slots=True)
class Sampler:
    """Throws quanta into cells.

    Attributes:
        cells: the cells.
        slabs: structured `(3, n_slabs + 1)`, for every kind of deposit; the last one only ends the one before.
        radius: median radius of hadronic energy at the start and its growth, interaction lengths, float64 `(2,)`.
    """

    cells: Cells
    slabs: npt.NDArray[Any]
    radius: Floats

    @classmethod
    def of(cls, card: CalorimeterCard, stack: Stack, cells: Cells) -> "Sampler":
        """The sampler of a card."""
        slabs = np.zeros((3, len(stack.layer) + 1), _SLAB)
        slabs["edge"], slabs["mm"] = (stack.x0_edges, stack.lambda_edges, stack.edges), stack.edges
        slabs["layer"][:, :-1], slabs["layer"][:, -1] = stack.layer, -1
        sections = [card.sections[number] for number in stack.section]
        quanta = np.array([(s.sampling**2, s.hadronic_sampling**2, s.sampling**2) for s in sections])
        slabs["quantum"][:, :-1] = np.where(stack.layer >= 0, quanta.T, np.inf)
        slabs["quantum"][:, -1] = np.inf
        slabs["signal"] = 1
        slabs["signal"][HADRONIC, :-1] = [1 / s.e_over_h for s in sections]
        slabs["radius"][ELECTROMAGNETIC, :-1] = stack.column("moliere_radius")
        slabs["radius"][HADRONIC, :-1] = stack.column("interaction_length")
        slabs["z"][:, :-1] = stack.column("z")
        return cls(cells, slabs, np.array(card.hadrons.radius))

    def throw(self, deposits: npt.NDArray[Any], seed: np.uint64, module: int, energies: Floats32) -> None:
        """Add what the deposits of an event give to the energies of its cells.

        Args:
            deposits: structured `(n,)`, see `prepared`.
            seed: of the event.
            module: number of the stream of random numbers.
            energies: float32 `(n_cells,)`, GeV.
        """
        key = np.array([int(seed) & 0xFFFFFFFF, int(seed) >> 32], np.uint64)
        grid = (self.cells.abs_eta_max, self.cells.sizes, self.cells.first)
        _throw(deposits, self.slabs, self.radius, grid, key, np.uint64(module), energies)


def prepared(deposits: Deposits, arrivals: Arrivals) -> npt.NDArray[Any]:
    """Deposits with the arrivals of their particles, structured `(n,)`, as compiled code takes them."""
    found = np.zeros(len(deposits), _DEPOSIT)
    found["item"] = arrivals.item[deposits.particle]
    for name in ("part", "kind", "energy", "gain", "start", "shape", "scale", "maximum"):
        found[name] = getattr(deposits, name)
    found["log_energy"] = np.log(np.maximum(deposits.energy, 1e-3))
    found["cosine"] = arrivals.cosine[deposits.particle]
    for axis, name in enumerate("xyz"):
        found[name] = arrivals.position[deposits.particle, axis]
        found[f"u{name}"] = arrivals.direction[deposits.particle, axis]
    return found


@numba.njit(cache=True)
def _throw(
    deposits: npt.NDArray[Any],
    slabs: npt.NDArray[Any],
    radius: Floats,
    grid: tuple[float, Integers, Integers],
    key: Words,
    module: np.uint64,
    energies: Floats32,
) -> None:
    counter, words = np.zeros(4, np.uint64), np.zeros(4, np.uint64)
    for i in range(len(deposits)):
        deposit = deposits[i]
        counter[0], counter[1], counter[2], counter[3] = deposit.item, deposit.part, module, np.uint64(0)
        media = slabs[deposit.kind]
        finest = _finest(media, deposit.start)
        if not deposit.energy > 0 or finest == math.inf:
            continue
        n_quanta = poisson(deposit.energy / finest, counter, key, words)
        n_spots = n_quanta if n_quanta <= _FEW else max(_FEW, n_quanta // _TOGETHER)
        for _ in range(n_spots):
            depth = _depth(deposit, counter, key, words)
            at = deposit.start + depth * (1.0 if deposit.kind == IONIZATION else deposit.cosine)
            number = _slab(media, at)
            slab = media[number]
            # Where quanta are larger there are fewer of them; none in dead material and behind.
            expected = n_quanta / n_spots * finest / slab.quantum
            if uniform(words[3]) >= expected:
                continue
            block(counter, key, words)
            r = _radius(deposit, depth, slab, radius, uniform(words[0]), uniform(words[1]))
            path = _path(slab, media[number + 1], deposit, at)
            cell = _cell(deposit, path, r, 2 * math.pi * uniform(words[2]), slab.layer, grid)
            if cell >= 0:
                energies[cell] += max(expected, 1.0) * slab.quantum * (deposit.gain * slab.signal)


@numba.njit(cache=True)
def _finest(media: npt.NDArray[Any], start: float) -> float:
    """Energy of the smallest quantum from some depth on."""
    found = math.inf
    for number in range(_slab(media, start), len(media)):
        found = min(found, media[number].quantum)
    return found


@numba.njit(cache=True, inline="always")
def _slab(media: npt.NDArray[Any], at: float) -> int:
    """Number of the slab at some depth; the last one means behind the calorimeter."""
    number = 0
    while number < len(media) - 1 and at >= media[number + 1].edge:
        number += 1
    return number


@numba.njit(cache=True, inline="always")
def _depth(deposit: Any, counter: Words, key: Words, words: Words) -> float:
    """Depth of a quantum below the start of its deposit, along its axis."""
    if deposit.kind == IONIZATION:
        block(counter, key, words)
        return float(deposit.scale * uniform(words[0]))
    return float(deposit.scale * gamma(deposit.shape, counter, key, words))


@numba.njit(cache=True, inline="always")
def _path(slab: Any, behind: Any, deposit: Any, at: float) -> float:
    """Way from the surface along the axis, mm, to some depth in a slab."""
    part = (at - slab.edge) / (behind.edge - slab.edge)
    return float((slab.mm + part * (behind.mm - slab.mm)) / deposit.cosine)


@numba.njit(cache=True)
def _radius(deposit: Any, depth: float, slab: Any, hadronic: Floats, u: float, other: float) -> float:
    """Distance of a quantum from the axis, mm, of the density 2 r R² / (r² + R²)², of which R is the median.

    Electromagnetic showers have the core and the tail of Grindhammer and Peters (hep-ex/0001020); other energy of
    hadrons has one R that grows with depth, as in Grindhammer et al., NIM A290 (1990) 469.
    """
    spread = math.sqrt(u / (1 - u))
    if deposit.kind == IONIZATION:
        return 0.0
    if deposit.kind == HADRONIC:
        return float(spread * (hadronic[0] + hadronic[1] * depth) * slab.radius)
    tau, log_e = min(depth / deposit.maximum, _LARGEST_TAU), deposit.log_energy
    z = slab.z
    x = (0.401 + 0.00187 * z - tau) / (1.313 - 0.0686 * log_e)
    core = (2.632 - 0.00094 * z) * math.exp(x - math.exp(x))
    if other < core:
        radius = max(0.0251 + 0.00319 * log_e + (0.1162 - 0.000381 * z) * tau, 0.0)
        return float(spread * radius * slab.radius)
    k4 = 0.3585 + 0.0421 * log_e
    tail = (0.659 - 0.00309 * z) * (math.exp(-2.59 * (tau - 0.645)) + math.exp(k4 * (tau - 0.645)))
    return float(spread * tail * slab.radius)


@numba.njit(cache=True)
def _cell(
    deposit: Any, path: float, r: float, angle: float, layer: int, grid: tuple[float, Integers, Integers]
) -> int:
    """Cell of a layer at some distance from the axis of a shower; -1 outside."""
    abs_eta_max, sizes, first = grid
    ux, uy, uz = deposit.ux, deposit.uy, deposit.uz
    transverse = math.sqrt(ux * ux + uy * uy)
    a, b = r * math.cos(angle), r * math.sin(angle) / transverse
    # Across the axis: (-uy, ux, 0) / transverse, and the product of the axis with it.
    x = deposit.x + path * ux - (a * uy / transverse + b * ux * uz)
    y = deposit.y + path * uy + (a * ux / transverse - b * uy * uz)
    z = deposit.z + path * uz + b * transverse * transverse
    slope = z / math.sqrt(x * x + y * y)
    eta = math.copysign(math.log(abs(slope) + math.sqrt(1 + slope * slope)), slope)  # half the time of asinh
    if not abs(eta) < abs_eta_max:
        return -1
    size = sizes[layer]
    row = int((eta / abs_eta_max + 1) * 0.5 * size)
    column = int((math.atan2(y, x) / math.pi + 1) * 0.5 * size) % size
    return int(first[layer] + min(row, size - 1) * size + column)
