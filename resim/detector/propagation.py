"""Particles from their vertices to the surface of the tracker, in a solenoid (Delphes' ParticlePropagator)."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from resim.common.arrays import Floats, Integers
from resim.detector.card import CardModule
from resim.detector.objects import Objects, concatenate
from resim.detector.random import Stream
from resim.particles import Particles

SPEED_OF_LIGHT: Final = 2.99792458e8
"""m/s, exact (SI)."""
_NEUTRAL: Final = 4
"""Place of the neutral particles among the outputs."""
_MIN_PT2: Final = 1e-9
"""GeV²; Delphes drops particles with a smaller pT²."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where particles start.

    Attributes:
        x, y, z: float64 `(n,)`, production vertex, m.
        ux, uy: float64 `(n,)`, direction of the transverse momentum, a unit vector.
        slope: float64 `(n,)`, pz / pT.
    """

    x: Floats
    y: Floats
    z: Floats
    ux: Floats
    uy: Floats
    slope: Floats


@dataclass(frozen=True, slots=True)
class Cylinder:
    """Volume of a tracker around the beam: radius and half length in m."""

    radius: float
    half_length: float


@dataclass(frozen=True, slots=True)
class Paths:
    """Where particles go.

    Attributes:
        ux, uy: float64 `(n,)`, direction of the transverse momentum at the closest approach to the beam.
        d0, dz: float64 `(n,)`, impact parameters there, m.
        x, y, z: float64 `(n,)`, where the particle leaves the cylinder, m; not finite if it never does.
    """

    ux: Floats
    uy: Floats
    d0: Floats
    dz: Floats
    x: Floats
    y: Floats
    z: Floats


@dataclass(frozen=True, slots=True)
class ParticlePropagator:
    """Propagates particles to the surface of the tracker and divides the charged ones into hadrons, electrons, muons.

    Attributes:
        inputs: name of the array of particles; if these were propagated before, then that of the generated ones.
        outputs: names of the arrays of all particles, of charged hadrons, of electrons, of muons, and of neutral
            particles if anybody reads it.
        cylinder: the tracker.
        limits: the volume in which particles may start (`RadiusMax`, `HalfLengthMax`). Those that start between the
            two are where they start, and in the first output alone, as in Delphes.
        bz: magnetic field along z, T.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    cylinder: Cylinder
    limits: Cylinder
    bz: float

    @classmethod
    def from_card(cls, module: CardModule) -> "ParticlePropagator":
        """Read the module's parameters."""
        radius, half_length = module.positive("Radius", 1.0), module.positive("HalfLength", 3.0)
        limits = Cylinder(module.positive("RadiusMax", radius), module.positive("HalfLengthMax", half_length))
        names = (
            ("OutputArray", "stableParticles"),
            ("ChargedHadronOutputArray", "chargedHadrons"),
            ("ElectronOutputArray", "electrons"),
            ("MuonOutputArray", "muons"),
            ("NeutralOutputArray", "neutralParticles"),
        )
        outputs = tuple(f"{module.name}/{module.text(parameter, default)}" for parameter, default in names)
        inputs = (module.text("InputArray", "Delphes/stableParticles"),)
        return cls(inputs, outputs, Cylinder(radius, half_length), limits, module.number("Bz", 0.0))

    def narrowed(self, wanted: Collection[str]) -> "ParticlePropagator":
        """The module without the array of neutral particles if it is not in `wanted`."""
        return self if self.outputs[_NEUTRAL] in wanted else replace(self, outputs=self.outputs[:_NEUTRAL])

    def after(self, generated: str) -> "ParticlePropagator":
        """The module for objects that were propagated before, from the array of generated particles of this name.

        As in Delphes, it starts anew from where they were produced.
        """
        return replace(self, inputs=(*self.inputs, generated))

    def run(self, *arrays: Any, stream: Stream) -> tuple[Objects, ...]:  # noqa: ARG002
        """Propagate.

        Dropped are particles that start outside the limits, fly along the beam (pT² < 1e-9 GeV²) or circle in the
        field without ever leaving the cylinder, and invisible ones, as neutrinos.

        Args:
            arrays: generated particles; or objects that were propagated before, and generated particles.
            stream: not used.

        Returns:
            All particles, charged hadrons, electrons, muons, and neutral particles if they are among the outputs.
        """
        particles: Particles = arrays[-1]
        fly = particles.visible & (particles.px**2 + particles.py**2 >= _MIN_PT2)
        rows = np.flatnonzero(fly & _inside(self.limits, particles))
        if len(arrays) > 1:
            before = particles.offsets[arrays[0].event] + arrays[0].item
            rows = before[np.isin(before, rows)]
        inside = _inside(self.cylinder, particles)
        found = self._propagated(particles, rows[inside[rows]])
        pdg_id = np.abs(found.pdg_id)
        charged, electron, muon = found.charge != 0, pdg_id == 11, pdg_id == 13
        kinds = (charged & ~electron & ~muon, charged & electron, charged & muon, ~charged)[: len(self.outputs) - 1]
        beyond = rows[~inside[rows]]
        everything = concatenate([found, _at_start(particles, beyond)]) if len(beyond) else found
        return everything, *(found.select(kind) for kind in kinds)

    def _propagated(self, particles: Particles, kept: Integers) -> Objects:
        start, pt = _starts(particles, kept)
        charge = np.trunc(particles.charge[kept])  # as Delphes: charges are integers
        objects = _objects(particles, kept, self._paths(start, charge, pt), pt, start.slope)
        leaves = np.isfinite(objects.outer_eta)
        return objects if leaves.all() else objects.select(leaves)

    def _paths(self, start: Start, charge: Floats, pt: Floats) -> Paths:
        """Straight lines, and helices where charge and field bend."""
        paths = straight(start, self.cylinder)
        bent = np.flatnonzero(charge) if self.bz else np.empty(0, np.int64)
        radius = pt[bent] * 1e9 / (SPEED_OF_LIGHT * self.bz * charge[bent])
        columns = (getattr(start, column)[bent] for column in Start.__slots__)
        turns = helix(Start(*columns), radius, self.cylinder)
        for column in Paths.__slots__:
            getattr(paths, column)[bent] = getattr(turns, column)
        return paths


def _inside(cylinder: Cylinder, particles: Particles) -> npt.NDArray[np.bool_]:
    """Whether particles start in a cylinder, bool `(n_particles,)`."""
    radius2 = (particles.vx**2 + particles.vy**2) * 1e-6  # mm² to m²
    return (radius2 <= cylinder.radius**2) & (np.abs(particles.vz) <= 1e3 * cylinder.half_length)


def _starts(particles: Particles, rows: Integers) -> tuple[Start, Floats]:
    """Where some particles start, and their pT in GeV, float64 `(n_rows,)`."""
    px, py, pz = particles.px[rows], particles.py[rows], particles.pz[rows]
    pt = np.sqrt(px**2 + py**2)
    x, y, z = (v[rows] * 1e-3 for v in (particles.vx, particles.vy, particles.vz))  # mm to m
    return Start(x, y, z, px / pt, py / pt, pz / pt), pt


def _at_start(particles: Particles, rows: Integers) -> Objects:
    """Particles that stay where they start."""
    start, pt = _starts(particles, rows)
    zeros = np.zeros(len(rows))
    paths = Paths(start.ux, start.uy, zeros, zeros, start.x, start.y, start.z)
    return _objects(particles, rows, paths, pt, start.slope)


def _objects(particles: Particles, rows: Integers, paths: Paths, pt: Floats, slope: Floats) -> Objects:
    """Some particles at the end of their paths; `outer_eta` is not finite for those that never leave."""
    event = np.repeat(np.arange(particles.n_events), np.diff(particles.offsets))[rows]
    with np.errstate(divide="ignore", invalid="ignore"):
        outer_eta = np.arcsinh(paths.z / np.sqrt(paths.x**2 + paths.y**2))
    return Objects.of(
        event=event,
        item=rows - particles.offsets[event],
        pdg_id=particles.pdg_id[rows],
        charge=np.trunc(particles.charge[rows]),
        mass=particles.mass[rows],
        energy=particles.energy[rows],
        pt=pt,
        ux=paths.ux,
        uy=paths.uy,
        slope=slope,
        true_pt=pt,
        outer_eta=outer_eta,
        outer_phi=np.arctan2(paths.y, paths.x),
        d0=paths.d0 * 1e3,
        dz=paths.dz * 1e3,
    )


def straight(start: Start, cylinder: Cylinder) -> Paths:
    """Straight lines from vertices inside a cylinder to its surface.

    Args:
        start: the vertices.
        cylinder: the volume.
    """
    x, y, z, ux, uy, slope = start.x, start.y, start.z, start.ux, start.uy, start.slope
    along = x * ux + y * uy
    d0 = x * uy - y * ux
    to_side = np.sqrt(np.maximum(cylinder.radius**2 - d0**2, 0)) - along  # transverse lengths
    with np.errstate(divide="ignore"):
        to_end = np.where(slope == 0, np.inf, (np.copysign(cylinder.half_length, slope) - z) / slope)
    length = np.minimum(to_side, to_end)
    return Paths(
        ux=ux.copy(),
        uy=uy.copy(),
        d0=d0,
        dz=z - along * slope,
        x=x + ux * length,
        y=y + uy * length,
        z=z + slope * length,
    )


def helix(start: Start, signed_radius: Floats, cylinder: Cylinder) -> Paths:
    """Helices from vertices inside a cylinder to its surface.

    As in Delphes 3.5, the point of closest approach is the extremum of the distance to the beam within a quarter of a
    turn of the vertex, which for displaced particles of low pT can be the farthest point of the circle.

    Args:
        start: the vertices.
        signed_radius: float64 `(n,)`, radius of the helix, m, with the sign of charge times field.
        cylinder: the volume.
    """
    x, y, z, ux, uy, slope = start.x, start.y, start.z, start.ux, start.uy, start.slope
    r, turn = np.abs(signed_radius), np.sign(signed_radius)
    centre_x, centre_y = x + signed_radius * uy, y - signed_radius * ux
    distance = np.maximum(np.sqrt(centre_x**2 + centre_y**2), 1e-15)
    # Direction of flight at closest approach: perpendicular to the line from the centre to the beam, and less than a
    # quarter of a turn from the direction at the vertex.
    dx, dy = -turn * centre_y / distance, turn * centre_x / distance
    side = np.where(dx * ux + dy * uy < 0, -1.0, 1.0)
    dx, dy = side * dx, side * dy
    angle_d = np.arctan2(dx * uy - dy * ux, dx * ux + dy * uy)  # the particle has turned by -angle_d since then
    # Angles from here on are in the sense of rotation: they grow with time.
    cosine = np.clip((r**2 + distance**2 - cylinder.radius**2) / (2 * r * distance), -1, 1)
    to_side = np.where(distance + r < cylinder.radius, np.inf, turn * angle_d + np.arccos(cosine))
    with np.errstate(divide="ignore"):
        to_end = np.where(slope == 0, np.inf, (np.copysign(cylinder.half_length, slope) - z) / (slope * r))
    angle = np.minimum(to_side, to_end)
    with np.errstate(invalid="ignore"):  # the angle is infinite if the particle never leaves
        sine, cosine = turn * np.sin(angle), np.cos(angle)
        exit_z = z + slope * r * angle
    return Paths(
        ux=dx,
        uy=dy,
        d0=side * turn * distance - signed_radius,
        dz=z + slope * signed_radius * angle_d,
        x=centre_x - signed_radius * (uy * cosine - ux * sine),
        y=centre_y + signed_radius * (ux * cosine + uy * sine),
        z=exit_z,
    )
