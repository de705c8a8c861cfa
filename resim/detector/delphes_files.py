"""What real Delphes reads and writes: generated particles as HepMC3, particle-flow objects in a ROOT file."""

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any, Final

import awkward as ak
import numpy as np
import numpy.typing as npt
import uproot
from pydantic_core import to_json

from resim.common.arrays import Integers
from resim.common.errors import InputError
from resim.common.units import HEPMC_BEAM, HEPMC_DECAYED, HEPMC_FINAL, PROTON
from resim.detector.particle_flow import candidates_of
from resim.particles import Candidates, Particles

_DISPLACED: Final = 92
"""PDG id of what links the primary vertex to another one: a "string", one of the codes for a generator's own use."""
_TREE: Final = "Delphes"
_NUMBER: Final = "Event.Number"
_TRACKS: Final = {
    "pdg_id": "PID",
    "pt": "PT",
    "eta": "Eta",
    "phi": "Phi",
    "mass": "Mass",
    "charge": "Charge",
    "d0": "D0",
    "dz": "DZ",
    "d0_err": "ErrorD0",
    "dz_err": "ErrorDZ",
}
_TOWERS: Final = {"pt": "ET", "eta": "Eta", "phi": "Phi", "energy": "E"}
_KINDS: Final = {"EFlowTrack": _TRACKS, "EFlowPhoton": _TOWERS, "EFlowNeutralHadron": _TOWERS}


def write_hepmc(path: Path, particles: Particles, numbers: Sequence[int]) -> None:
    """Write the events that have particles as HepMC3 text (arXiv:1912.08005, Asciiv3).

    Every particle leaves the vertex where it was produced. Delphes counts vertices to see where an event ends, and
    begins with the root vertex, so there are two beam particles; vertices other than the origin hang on it by a
    decayed particle each.

    Args:
        path: file to write.
        particles: generated stable particles.
        numbers: event numbers to write, one for every event.
    """
    with path.open("w", encoding="ascii") as stream:
        stream.write("HepMC::Version 3.02.05\nHepMC::Asciiv3-START_EVENT_LISTING\n")
        for event, number in enumerate(numbers):
            first, last = particles.offsets[event : event + 2].tolist()
            if last > first:
                stream.write(_hepmc_event(particles, slice(first, last), number))
        stream.write("HepMC::Asciiv3-END_EVENT_LISTING\n")


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


def read_candidates(path: Path, numbers: Sequence[int], written: npt.NDArray[np.bool_]) -> Candidates:
    """The particle flow of a ROOT file of Delphes.

    Args:
        path: the file.
        numbers: event numbers.
        written: `(n_events,)`, which of them the file must have, in this order.

    Returns:
        Candidates of all events: tracks, photons, neutral hadrons, without those of no pT. `origin` is not known.

    Raises:
        InputError: the file is missing or damaged, lacks a branch, or does not hold these events in this order.
    """
    if not path.is_file():
        raise InputError(f"{path.name} was not written")
    try:
        with uproot.open(path) as file:
            tree = file[_TREE]
            _check_branches(set(tree.keys(recursive=True, full_paths=False)))
            found = ak.ravel(tree[_NUMBER].array()).to_numpy()
            tracks, photons, neutrals = (_objects(tree, kind, branches) for kind, branches in _KINDS.items())
    except InputError:
        raise
    except Exception as error:  # uproot has a dozen kinds for files that are cut off or damaged
        reason = " ".join(str(error).split())[:100]
        raise InputError(f"{path.name} is not readable: {type(error).__name__}: {reason}") from error
    places = np.flatnonzero(written)
    _check_order(found, [numbers[place] for place in places.tolist()])
    for kind in (tracks, photons, neutrals):
        kind["event"] = places[kind["event"]]
    return candidates_of(tracks, photons, neutrals, len(numbers))


def _check_branches(present: set[str]) -> None:
    wanted = [_NUMBER, *(f"{kind}.{leaf}" for kind, leaves in _KINDS.items() for leaf in leaves.values())]
    if missing := [name for name in wanted if name not in present]:
        raise InputError(
            f"the output has no {', '.join(missing[:3])}; want Delphes 3.5, and a card whose TreeWriter adds the"
            " branches EFlowTrack Track, EFlowPhoton Tower and EFlowNeutralHadron Tower"
        )


def _check_order(found: npt.NDArray[Any], numbers: Sequence[int]) -> None:
    for place, (number, wanted) in enumerate(zip(found.tolist(), numbers, strict=False)):
        if number != wanted:
            raise InputError(f"entry {place} of the output is event {number}, want event {wanted}")
    if len(found) != len(numbers):
        raise InputError(f"the output holds {len(found)} events, {len(numbers)} were given")


def _objects(tree: Any, kind: str, branches: dict[str, str]) -> dict[str, npt.NDArray[Any]]:
    """The columns of one kind of objects, and the event of each; what has no pT is left out."""
    jagged = {name: tree[f"{kind}.{leaf}"].array() for name, leaf in branches.items()}
    lengths = {name: ak.num(array).to_numpy() for name, array in jagged.items()}
    columns = {name: ak.flatten(array).to_numpy().astype(np.float64) for name, array in jagged.items()}
    columns["event"] = np.repeat(np.arange(tree.num_entries), lengths["pt"])
    for name, column in columns.items():
        if len(column) != len(columns["event"]) or not np.isfinite(column).all():
            raise InputError(f"{kind}.{branches[name]} holds numbers that are not finite, or not one for each object")
    if "mass" in columns:
        columns["mass"] = np.maximum(columns["mass"], 0)  # ROOT gives those of spacelike rounding a minus sign
    return {name: column[columns["pt"] > 0] for name, column in columns.items()}
