"""Deposits cut into quanta of energy, each thrown into a cell: compiled, one event at a time."""

import math
from dataclasses import dataclass
from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt

from resim.card.calorimeter_card import CalorimeterCard
from resim.common.arrays import Floats32
from resim.detector.cells.arrivals import Arrivals
from resim.detector.cells.geometry import Cells
from resim.detector.cells.media import Stack
from resim.detector.cells.philox import Stream, Word, block, disc, gamma, key_of, poisson, uniform
from resim.detector.cells.showers import ELECTROMAGNETIC, HADRONIC, IONIZATION, Deposits

_SLAB: Final = np.dtype(
    [
        ("edge", "f8"),  # where it begins, in the unit of the kind of deposit
        ("mm", "f8"),  # the same in mm
        ("quantum", "f8"),
        ("signal", "f8"),
        ("finest", "f8"),  # the smallest quantum from there on
        ("radius", "f8"),  # mm of its unit across the axis
        ("z", "f8"),
        ("size", "i8"),  # of the layer
        ("first", "i8"),
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
        slabs: structured `(3, n_slabs + 1)`, for every kind of deposit; the last one only ends the one before.
        radius: median radius of hadronic energy at the start and its growth, interaction lengths.
        abs_eta_max: where the cells end.
    """

    slabs: npt.NDArray[Any]
    radius: tuple[float, float]
    abs_eta_max: float

    @classmethod
    def of(cls, card: CalorimeterCard, stack: Stack, cells: Cells) -> "Sampler":
        """The sampler of a card."""
        slabs = np.zeros((3, len(stack.layer) + 1), _SLAB)
        slabs["edge"], slabs["mm"] = (stack.x0_edges, stack.lambda_edges, stack.edges), stack.edges
        sections = [card.sections[number] for number in stack.section]
        quanta = np.array([(s.sampling**2, s.hadronic_sampling**2, s.sampling**2) for s in sections])
        slabs["quantum"][:, :-1] = np.where(stack.layer >= 0, quanta.T, np.inf)
        slabs["quantum"][:, -1] = np.inf
        slabs["finest"] = np.minimum.accumulate(slabs["quantum"][:, ::-1], axis=1)[:, ::-1]
        slabs["signal"] = 1
        slabs["signal"][HADRONIC, :-1] = [1 / s.e_over_h for s in sections]
        slabs["radius"][ELECTROMAGNETIC, :-1] = stack.column("moliere_radius")
        slabs["radius"][HADRONIC, :-1] = stack.column("interaction_length")
        slabs["z"][:, :-1] = stack.column("z")
        slabs["size"][:, :-1], slabs["first"][:, :-1] = cells.sizes[stack.layer], cells.first[stack.layer]
        return cls(slabs, card.hadrons.radius, cells.abs_eta_max)

    def throw(self, deposits: npt.NDArray[Any], seed: np.uint64, module: int, energies: Floats32) -> None:
        """Add what the deposits of an event give to the energies of its cells.

        Args:
            deposits: structured `(n,)`, see `prepared`.
            seed: of the event.
            module: number of the stream of random numbers.
            energies: float32 `(n_cells,)`, GeV.
        """
        _throw(deposits, self.slabs, self.radius, self.abs_eta_max, np.uint64(seed), np.uint64(module), energies)


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
    hadronic: tuple[float, float],
    abs_eta_max: float,
    seed: np.uint64,
    module: np.uint64,
    energies: Floats32,
) -> None:
    key = key_of(seed)
    for i in range(len(deposits)):
        deposit = deposits[i]
        kind = deposit.kind
        stream = (deposit.item, deposit.part, module, key[0], key[1])
        finest = slabs[kind, _slab(slabs, kind, deposit.start)].finest
        if not deposit.energy > 0 or finest == math.inf:
            continue
        n_quanta = poisson(deposit.energy / finest, block(stream, np.uint64(0)))
        n_spots = n_quanta if n_quanta <= _FEW else max(_FEW, n_quanta // _TOGETHER)
        number = np.uint64(1)
        for _ in range(n_spots):
            depth, spare, number = _depth(deposit, stream, number)
            at = deposit.start + depth * (1.0 if kind == IONIZATION else deposit.cosine)
            place = _slab(slabs, kind, at)
            slab = slabs[kind, place]
            # Where quanta are larger there are fewer of them; none in dead material and behind.
            expected = n_quanta / n_spots * finest / slab.quantum
            if uniform(spare) >= expected:
                continue
            x, y, spare, number = disc(stream, number)
            r = _radius(deposit, depth, slab, hadronic, uniform(spare))
            path = _path(slab, slabs[kind, place + 1], deposit, at)
            cell = _cell(deposit, path, r * x, r * y, slab, abs_eta_max)
            if cell >= 0:
                energies[cell] += max(expected, 1.0) * slab.quantum * (deposit.gain * slab.signal)


@numba.njit(cache=True, forceinline=True)
def _slab(slabs: npt.NDArray[Any], kind: int, at: float) -> int:
    """Number of the slab at some depth; the last one means behind the calorimeter."""
    number = 0
    while number < slabs.shape[1] - 1 and at >= slabs[kind, number + 1].edge:
        number += 1
    return number


@numba.njit(cache=True, forceinline=True)
def _depth(deposit: Any, stream: Stream, number: Word) -> tuple[float, Word, Word]:
    """Depth of a quantum below the start of its deposit, along its axis; a word and the next block, as of `gamma`."""
    if deposit.kind == IONIZATION:
        words = block(stream, number)
        return deposit.scale * uniform(words[0]), words[3], number + np.uint64(1)
    depth, spare, number = gamma(deposit.shape, stream, number)
    return deposit.scale * depth, spare, number


@numba.njit(cache=True, forceinline=True)
def _path(slab: Any, behind: Any, deposit: Any, at: float) -> float:
    """Way from the surface along the axis, mm, to some depth in a slab."""
    part = (at - slab.edge) / (behind.edge - slab.edge)
    return float((slab.mm + part * (behind.mm - slab.mm)) / deposit.cosine)


@numba.njit(cache=True)
def _radius(deposit: Any, depth: float, slab: Any, hadronic: tuple[float, float], uniform: float) -> float:
    """Median distance R of quanta from the axis, mm, whose density is 2 r R² / (r² + R²)².

    Electromagnetic showers have the core and the tail of Grindhammer and Peters (hep-ex/0001020); other energy of
    hadrons has one R that grows with depth, as in Grindhammer et al., NIM A290 (1990) 469.
    """
    if deposit.kind == IONIZATION:
        return 0.0
    if deposit.kind == HADRONIC:
        return float((hadronic[0] + hadronic[1] * depth) * slab.radius)
    tau, log_e, z = min(depth / deposit.maximum, _LARGEST_TAU), deposit.log_energy, slab.z
    x = (0.401 + 0.00187 * z - tau) / (1.313 - 0.0686 * log_e)
    core = (2.632 - 0.00094 * z) * math.exp(x - math.exp(x))
    if uniform < core:
        return float(max(0.0251 + 0.00319 * log_e + (0.1162 - 0.000381 * z) * tau, 0.0) * slab.radius)
    k4 = 0.3585 + 0.0421 * log_e
    return float(
        (0.659 - 0.00309 * z) * (math.exp(-2.59 * (tau - 0.645)) + math.exp(k4 * (tau - 0.645))) * slab.radius
    )


@numba.njit(cache=True)
def _cell(deposit: Any, path: float, a: float, b: float, slab: Any, abs_eta_max: float) -> int:
    """Cell of a slab at `(a, b)` mm from the axis of a shower; -1 outside."""
    ux, uy, uz = deposit.ux, deposit.uy, deposit.uz
    transverse = math.sqrt(ux * ux + uy * uy)
    # Across the axis: (-uy, ux, 0) / transverse, and the product of the axis with it.
    a, b = a / transverse, b / transverse
    x = deposit.x + path * ux - (a * uy + b * ux * uz)
    y = deposit.y + path * uy + (a * ux - b * uy * uz)
    z = deposit.z + path * uz + b * transverse * transverse
    slope = z / math.sqrt(x * x + y * y)
    eta = math.copysign(math.log(abs(slope) + math.sqrt(1 + slope * slope)), slope)  # half the time of asinh
    if not abs(eta) < abs_eta_max:
        return -1
    size = slab.size
    row = int((eta / abs_eta_max + 1) * 0.5 * size)
    column = int((math.atan2(y, x) / math.pi + 1) * 0.5 * size) % size
    return int(slab.first + min(row, size - 1) * size + column)
