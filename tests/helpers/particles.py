"""Generated particles for the detector."""

import numpy as np

from resim.common.ragged import offsets_of
from resim.detector.pool import PARTICLE
from resim.particles import Candidates, Particles, impact_parameters

N_POOL = 150
"""Minimum-bias events in the pool of the tests."""

MASS_AND_CHARGE = {211: (0.13957, 1), 22: (0, 0), 130: (0.49761, 0), 11: (0.000511, -1), 13: (0.10566, -1)}


def gun(
    pdg_id: int, pt: list[float], eta: list[float], phi: list[float] | None = None, **columns: float
) -> Particles:
    """One particle in every event."""
    mass, charge = MASS_AND_CHARGE.get(pdg_id, (0.1, 0))
    pt, eta = np.array(pt, float), np.array(eta, float)
    phi = np.zeros(len(pt)) if phi is None else np.array(phi, float)
    pz = pt * np.sinh(eta)
    default = {
        "px": pt * np.cos(phi),
        "py": pt * np.sin(phi),
        "pz": pz,
        "energy": np.sqrt(pt**2 + pz**2 + mass**2),
        "mass": np.full(len(pt), mass),
        "charge": np.full(len(pt), float(charge)),
    }
    default |= {name: np.full(len(pt), columns.pop(name, 0.0)) for name in ("vx", "vy", "vz")}
    default |= {name: np.full(len(pt), value) for name, value in columns.items()}
    return Particles(offsets=offsets_of(np.ones(len(pt), int)), pdg_id=np.full(len(pt), pdg_id, np.int32), **default)


def one_event(particles: Particles, event: int) -> Particles:
    inside = slice(*particles.offsets[event : event + 2])
    columns = {name: getattr(particles, name)[inside] for name in Particles.__slots__ if name != "offsets"}
    return Particles(offsets=offsets_of([len(columns["px"])]), **columns)


def part(particles: Particles, start: int, stop: int) -> Particles:
    offsets = particles.offsets[start : stop + 1]
    rows = slice(offsets[0], offsets[-1])
    names = [name for name in Particles.__slots__ if name != "offsets"]
    return Particles(offsets=offsets - offsets[0], **{name: getattr(particles, name)[rows].copy() for name in names})


PION = {"pdg_id": 211, "charge": 1, "px": 10.0, "mass": 0.13957}


def particle(**columns: float) -> np.ndarray:
    """A pion, if nothing else is said."""
    columns = PION | columns
    return np.array([tuple(columns.get(name, 0) for name in PARTICLE.names)], PARTICLE)


def events(*lists: list[np.ndarray]) -> Particles:
    """Events of such particles."""
    rows = np.concatenate([np.empty(0, PARTICLE), *(row for rows in lists for row in rows)])
    columns = {name: rows[name].astype(np.float64) for name in PARTICLE.names if name != "pdg_id"}
    energy = np.sqrt(sum(columns[name] ** 2 for name in ("px", "py", "pz", "mass")))
    return Particles(
        offsets=offsets_of([len(rows) for rows in lists]), pdg_id=rows["pdg_id"], energy=energy, **columns
    )


def tracks_from(points: np.ndarray, pt: np.ndarray, eta: np.ndarray, phi: np.ndarray) -> Candidates:
    """Pions from these points `(n, 3)` in mm as exactly measured tracks, all in one event."""
    px, py, pz = pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)
    mass = np.full(len(pt), PION["mass"])
    columns = {"px": px, "py": py, "pz": pz, "energy": np.sqrt(px**2 + py**2 + pz**2 + mass**2), "mass": mass}
    columns |= {"pdg_id": np.full(len(pt), 211, np.int32), "charge": np.ones(len(pt))}
    columns |= dict(zip(("vx", "vy", "vz"), points.T, strict=True)) | {"offsets": offsets_of([len(pt)])}
    d0, dz = impact_parameters(Particles(**columns))
    errors = np.zeros(len(pt))
    return Candidates(**columns, d0=d0, dz=dz, d0_err=errors, dz_err=errors, origin=np.arange(len(pt)))


MASSES = {211: 0.13957, 11: 0.000511, 13: 0.10566, 22: 0.0, 130: 0.49761, 2212: 0.93827}


def random_particles(lengths, seed=1) -> Particles:
    """Particles of all kinds, half of them from displaced vertices, of which some are shared."""
    rng = np.random.default_rng(seed)
    n = sum(lengths)
    pdg_id = rng.choice(list(MASSES), n)
    mass = np.array([MASSES[i] for i in pdg_id.tolist()])
    sign = np.where(np.isin(pdg_id, [22, 130]), 1, rng.choice([-1, 1], n))
    pt, eta, phi = rng.exponential(5, n) + 0.2, rng.uniform(-4, 4, n), rng.uniform(-np.pi, np.pi, n)
    place = rng.normal(0, 3, (12, 3))[rng.integers(0, 12, n)] * rng.choice([0, 1], (n, 1))
    charge = np.select([np.isin(pdg_id, [22, 130]), np.isin(pdg_id, [11, 13])], [0, -1], 1) * sign
    return Particles(
        offsets=offsets_of(lengths),
        px=pt * np.cos(phi),
        py=pt * np.sin(phi),
        pz=pt * np.sinh(eta),
        energy=np.hypot(pt * np.cosh(eta), mass),
        mass=mass,
        pdg_id=(sign * pdg_id).astype(np.int32),
        charge=charge.astype(float),
        **dict(zip(("vx", "vy", "vz"), place.T, strict=True)),
    )
