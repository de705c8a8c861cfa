"""Generated particles as HepMC3 text, for detectors that are external programs."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from pydantic_core import to_json

from resim.common.arrays import Integers
from resim.common.units import HEPMC_BEAM, HEPMC_DECAYED, HEPMC_FINAL, PROTON
from resim.particles import Particles

_DISPLACED: Final = 92
"""PDG id of what links the primary vertex to another one: a "string", one of the codes for a generator's own use."""


def write_hepmc(path: Path, batches: Iterable[tuple[Particles, Sequence[int]]]) -> int:
    """Write the events that have particles as HepMC3 text (arXiv:1912.08005, Asciiv3).

    Every particle leaves the vertex where it was produced. There are two beam particles, for Delphes counts vertices
    to see where an event ends, and begins with the root vertex; vertices other than the origin hang on it by a
    decayed particle each.

    Args:
        path: file to write.
        batches: generated stable particles, and a number for every event of them.

    Returns:
        How many events were written.
    """
    n_events = 0
    with path.open("w", encoding="ascii") as stream:
        stream.write("HepMC::Version 3.02.05\nHepMC::Asciiv3-START_EVENT_LISTING\n")
        for particles, numbers in batches:
            for event, number in enumerate(numbers):
                first, last = particles.offsets[event : event + 2].tolist()
                if last > first:
                    stream.write(_hepmc_event(particles, slice(first, last), number))
                    n_events += 1
        stream.write("HepMC::Asciiv3-END_EVENT_LISTING\n")
    return n_events


def _hepmc_event(particles: Particles, rows: slice, number: int) -> str:
    """The lines of an event: vertices and particles are numbered as they come, vertices with a minus sign."""
    momenta = np.stack([getattr(particles, name)[rows] for name in ("px", "py", "pz", "energy", "mass")], axis=1)
    positions = np.stack([getattr(particles, name)[rows] for name in ("vx", "vy", "vz")], axis=1)
    places, place_of = np.unique(positions, axis=0, return_inverse=True)
    displaced = places.any(axis=1)
    vertex = np.where(displaced, 1 + np.cumsum(displaced), 1)[place_of.ravel()]  # NumPy 2.0 keeps the input's shape
    links = _numbers(_sums(momenta, vertex))
    energy = float(momenta[:, 3].sum()) / 2
    lines = [f"E {number} {1 + len(links)} {2 + len(links) + len(momenta)}", "U GEV MM"]
    lines += [f"P {i} 0 {PROTON} 0 0 {pz!r} {energy!r} 0 {HEPMC_BEAM}" for i, pz in ((1, energy), (2, -energy))]
    lines.append("V -1 0 [1,2]")
    lines += [f"P {i} -1 {_DISPLACED} {link} {HEPMC_DECAYED}" for i, link in enumerate(links, 3)]
    ids = count(3 + len(links))
    columns = zip(ids, vertex.tolist(), particles.pdg_id[rows].tolist(), _numbers(momenta), strict=False)
    final = [f"P {i} -{v} {pdg_id} {momentum} {HEPMC_FINAL}" for i, v, pdg_id, momentum in columns]
    for v, row, place in _first_of_vertices(vertex, positions):
        final[row] = f"V -{v} 0 [{v + 1}] @ {place} 0\n{final[row]}"
    return "\n".join([*lines, *final, ""])


def _sums(momenta: npt.NDArray[np.float64], vertex: Integers) -> npt.NDArray[np.float64]:
    """Momentum and mass of all that leaves each vertex but the first, `(n_vertices - 1, 5)` in GeV."""
    px, py, pz, energy = (np.bincount(vertex, weights=component)[2:] for component in momenta.T[:4])
    mass = np.sqrt(np.maximum(energy**2 - px**2 - py**2 - pz**2, 0))
    return np.stack([px, py, pz, energy, mass], axis=1)


def _first_of_vertices(vertex: Integers, positions: npt.NDArray[np.float64]) -> Iterator[tuple[int, int, str]]:
    """Number, first particle and position of every displaced vertex; its line stands before that particle."""
    numbers, rows = np.unique(vertex[vertex > 1], return_index=True)
    first = np.flatnonzero(vertex > 1)[rows]
    return zip(numbers.tolist(), first.tolist(), _numbers(positions[first]), strict=True)


def _numbers(table: npt.NDArray[np.float64]) -> list[str]:
    """The numbers of each row `(n, k)`, with as many digits as determine them; six times as fast as `%`."""
    return to_json(table.tolist()).decode()[2:-2].replace(",", " ").split("] [") if len(table) else []
