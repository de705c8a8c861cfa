"""Pile-up: minimum-bias collisions mixed into every event.

Follows Delphes' PileUpMerger (J. de Favereau et al., JHEP 02 (2014) 057, section 4). Only
collisions of the same bunch crossing are mixed in. Which vertex a track belongs to is known from the generator.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from resim.common.arrays import Floats, Integers
from resim.common.ragged import offsets_of, owners_of
from resim.detector.card import CardModule
from resim.detector.objects import Objects
from resim.detector.pool import Pool
from resim.detector.random import Stream
from resim.detector.tracking import finite
from resim.particles import Particles

_CELLS: Final = 100
"""Cells of the vertex distribution along z and along t, as ROOT's TF2 has them."""
_NODES: Final = 4
"""Gauss-Legendre nodes of the integral over a cell in each direction."""
_NUMBER, _CELL, _INSIDE, _ENTRY = range(4)
"""Numbers of the draws: how many collisions; cell and z; t and rotation; event of the pool."""
_FLAT, _FIXED = 1, 2
"""`PileUpDistribution` of Delphes; all others are Poisson."""


@dataclass(frozen=True, slots=True)
class PileUp:
    """Pile-up of a detector.

    Attributes:
        mu: mean number of pile-up collisions in an event; it replaces the card's MeanPileUp.
        pool: minimum-bias events.
    """

    mu: float
    pool: Pool


@dataclass(frozen=True, slots=True)
class VertexSpread:
    """Where and when collisions are: drawn from 100 x 100 cells and uniform in each, as ROOT's TF2::GetRandom2 does.

    Attributes:
        cumulative: float64 `(10000,)`, cumulative probability of the cells; t varies fastest.
        half_z: z lies in (-half_z, half_z), mm.
        half_t: t lies in (-half_t, half_t), s.
    """

    cumulative: Floats
    half_z: float
    half_t: float

    @classmethod
    def from_card(cls, module: CardModule) -> "VertexSpread":
        """Read `VertexDistributionFormula`, a function of z in m and t in s, and integrate it over the cells."""
        z, t = module.positive("ZVertexSpread"), module.positive("TVertexSpread")
        formula = module.formula("VertexDistributionFormula", ("z", "t"))
        nodes, weights = np.polynomial.legendre.leggauss(_NODES)
        points = ((np.arange(_CELLS)[:, None] + (nodes + 1) / 2).ravel() / _CELLS) * 2 - 1
        grid = {"z": np.repeat(points * z, points.size), "t": np.tile(points * t, points.size)}
        values = finite(module, "VertexDistributionFormula", formula(grid, points.size**2), grid)
        cells = np.einsum("iajb,a,b->ij", values.reshape(_CELLS, _NODES, _CELLS, _NODES), weights, weights).ravel()
        if cells.min() < 0 or not cells.sum() > 0:
            module.fail("want a density: nowhere negative, and not zero everywhere", "VertexDistributionFormula")
        return cls(np.cumsum(cells) / cells.sum(), 1e3 * z, t)

    def draw(self, cell: Floats, z: Floats, t: Floats) -> tuple[Floats, Floats]:
        """Positions z in mm and times t in s, float64 `(n,)` each.

        Args:
            cell: float64 `(n,)`, uniform numbers in [0, 1) that choose the cell.
            z: float64 `(n,)`, likewise, the place in the cell along z.
            t: float64 `(n,)`, likewise, along t.
        """
        number = np.searchsorted(self.cumulative, cell, side="right")
        number = np.minimum(number, _CELLS**2 - 1)  # the last sum may be rounded to below 1
        i, j = np.divmod(number, _CELLS)
        return ((i + z) / _CELLS * 2 - 1) * self.half_z, ((j + t) / _CELLS * 2 - 1) * self.half_t


@dataclass(frozen=True, slots=True)
class Collisions:
    """The collisions of a batch of events, column by column `(n,)`: in every event the hard one, then pile-up.

    Attributes:
        event: int64, event in the batch.
        number: int64, 0 for the hard collision, then 1, 2, ...
        z: float64, mm.
        t: float64, s; drawn together with z, not used by the other modules.
        rotation: float64, rad, angle by which a pile-up event is rotated about the beam.
        entry: int64, number of the pile-up event in the pool.
    """

    event: Integers
    number: Integers
    z: Floats
    t: Floats
    rotation: Floats
    entry: Integers


@dataclass(frozen=True, slots=True)
class Vertices:
    """From which collision the particles of merged events come.

    Attributes:
        particles: in every event those of the hard collision, then those of pile-up.
        n_hard: int64 `(n_events,)`, number of particles of the hard collision.
        z: float64 `(n_events,)`, mm, position of the hard collision.
        shift: float64 `(n_events,)`, mm, by which the hard particles were moved along z.
        count: int64 `(n_events,)`, number of collisions, the hard one included.
    """

    particles: Particles
    n_hard: Integers
    z: Floats
    shift: Floats
    count: Integers

    def is_pileup(self, tracks: Objects) -> Integers:
        """Rows of the charged objects that come from pile-up: int64 `(n_pileup,)`."""
        return np.flatnonzero((tracks.charge != 0) & (tracks.item >= self.n_hard[tracks.event]))

    def seen_from_hard(self, candidates: Objects) -> Objects:
        """The candidates with dz relative to the hard collision; `item` is -1 for tracks of pile-up."""
        item = candidates.item.copy()
        item[self.is_pileup(candidates)] = -1
        dz = np.where(candidates.charge != 0, candidates.dz - self.shift[candidates.event], candidates.dz)
        return replace(candidates, item=item, dz=dz)


@dataclass(frozen=True, slots=True)
class PileUpMerger:
    """Moves every event along the beam and mixes a random number of minimum-bias events into it.

    Attributes:
        module: the module of the card.
        inputs: name of the array of particles.
        outputs: names of the arrays of particles and of vertices.
        spread: distribution of the vertices.
        beam_spot: x and y of the beam spot in the pool, and of that to which pile-up is moved, mm.
        distribution: Delphes' `PileUpDistribution`.
        pileup: how much and of what; None for a card that is only read.
    """

    module: CardModule
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    spread: VertexSpread
    beam_spot: tuple[float, float, float, float]
    distribution: int
    pileup: PileUp | None = None

    @classmethod
    def from_card(cls, module: CardModule) -> "PileUpMerger":
        """Read the module's parameters."""
        defaults = {"ParticleOutputArray": "stableParticles", "VertexOutputArray": "vertices"}
        spots = ("InputBeamSpotX", "InputBeamSpotY", "OutputBeamSpotX", "OutputBeamSpotY")
        x_in, y_in, x_out, y_out = (module.number(parameter, 0.0) for parameter in spots)
        return cls(
            module=module.without_values(),
            inputs=(module.text("InputArray", "Delphes/stableParticles"),),
            outputs=tuple(f"{module.name}/{module.text(name, array)}" for name, array in defaults.items()),
            spread=VertexSpread.from_card(module),
            beam_spot=(x_in, y_in, x_out, y_out),
            distribution=int(module.number("PileUpDistribution", 0)),
        )

    def require_pileup(self) -> PileUp:
        """The pile-up.

        Raises:
            InputError: nobody said how much and of what.
        """
        if self.pileup is None:
            self.module.fail(
                "pile-up needs a pool of minimum-bias events (`resim pileup`) and a mean; give both in the generation"
                " card, as in `detector: {card: ..., pileup: {mu: 50, pool: pool.h5}}`, or use a card without"
                f" {self.module.kind}, such as cards/delphes/cms.tcl"
            )
        return self.pileup

    def collisions(self, n_events: int, stream: Stream) -> Collisions:
        """Draw the collisions of every event. With the same seed, a larger mean only adds collisions."""
        pileup = self.require_pileup()
        events = np.arange(n_events)
        uniform, _ = stream.uniform(events, np.zeros(n_events), _NUMBER)
        offsets = offsets_of(1 + np.searchsorted(_cumulative(pileup.mu, self.distribution), uniform, side="right"))
        event = owners_of(offsets)
        number = np.arange(offsets[-1]) - offsets[event]
        cell, z_in_cell = stream.uniform(event, number, _CELL)
        t_in_cell, turn = stream.uniform(event, number, _INSIDE)
        entry, _ = stream.uniform(event, number, _ENTRY)
        z, t = self.spread.draw(cell, z_in_cell, t_in_cell)
        entries = (entry * pileup.pool.n_events).astype(np.int64)
        return Collisions(event, number, z, t, np.pi * (2 * turn - 1), entries)

    def run(self, particles: Particles, stream: Stream) -> tuple[Particles, Vertices]:
        """The merged events, hard particles first, and their vertices."""
        collisions = self.collisions(particles.n_events, stream)
        z = collisions.z[collisions.number == 0]
        shift = z - _first_z(particles)
        hard = owners_of(particles.offsets)
        moved = replace(particles, vz=particles.vz + shift[hard])
        added, event = self._pileup_particles(collisions)
        order = np.argsort(np.concatenate([hard, event]), kind="stable")
        names = [name for name in Particles.__slots__ if name != "offsets"]
        columns = {name: np.concatenate([getattr(moved, name), getattr(added, name)])[order] for name in names}
        n_hard = np.diff(particles.offsets)
        merged = Particles(offsets=offsets_of(n_hard + np.bincount(event, minlength=len(n_hard))), **columns)
        return merged, Vertices(merged, n_hard, z, shift, np.bincount(collisions.event, minlength=len(n_hard)))

    def _pileup_particles(self, collisions: Collisions) -> tuple[Particles, Integers]:
        """Particles of all pile-up collisions, rotated and moved to their vertices, and their events."""
        mixed = np.flatnonzero(collisions.number)
        found = self.require_pileup().pool.take(collisions.entry[mixed])
        row = mixed[owners_of(found.offsets)]
        x_in, y_in, x_out, y_out = self.beam_spot
        cosine, sine = np.cos(collisions.rotation[row]), np.sin(collisions.rotation[row])
        px, py = _turned(found.px, found.py, cosine, sine)
        x, y = _turned(found.vx - x_in, found.vy - y_in, cosine, sine)
        z = found.vz + collisions.z[row]
        return replace(found, px=px, py=py, vx=x + x_out, vy=y + y_out, vz=z), collisions.event[row]


def _cumulative(mean: float, distribution: int) -> Floats:
    """Cumulative probability of n = 0, 1, 2, ... collisions, float64; the list ends where it rounds to 1."""
    if distribution == _FLAT:
        return np.arange(1, int(2 * mean) + 1) / (int(2 * mean) + 1)
    if distribution == _FIXED:
        return np.zeros(int(mean))
    if mean == 0:
        return np.ones(1)
    numbers = np.arange(int(mean + 20 * math.sqrt(mean)) + 50)  # P(larger n) < 2⁻⁵³
    logarithms = np.array([math.lgamma(n + 1) for n in numbers])
    probabilities: Floats = np.exp(numbers * math.log(mean) - mean - logarithms)
    return np.minimum(np.cumsum(probabilities), 1.0)


def _first_z(particles: Particles) -> Floats:
    """Position z of the first particle of each event, float64 `(n_events,)`, mm; 0 for an event without particles.

    Delphes takes it for the position of the hard collision.
    """
    z = np.zeros(particles.n_events)
    some = np.flatnonzero(np.diff(particles.offsets))
    z[some] = particles.vz[particles.offsets[some]]
    return z


def _turned(x: Floats, y: Floats, cosine: Floats, sine: Floats) -> tuple[Floats, Floats]:
    return x * cosine - y * sine, x * sine + y * cosine
