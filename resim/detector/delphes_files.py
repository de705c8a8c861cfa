"""What real Delphes reads and writes: generated particles as HepMC3, particle-flow objects in a ROOT file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import awkward as ak
import numpy as np
import numpy.typing as npt
import uproot

from resim.common.arrays import Integers
from resim.common.errors import InputError
from resim.common.units import HEPMC_BEAM, HEPMC_DECAYED, HEPMC_FINAL, PROTON
from resim.detector.particle_flow import candidates_of
from resim.particles import Candidates, Particles

_DISPLACED: Final = 92
"""PDG id of what links the primary vertex to another one: a "string", one of the codes for a generator's own use."""
_DOUBLE: Final = 17
"""Significant digits that determine a 64-bit number."""

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
    """Write the events that have particles as HepMC3 text.

    Every particle leaves the vertex where it was produced. Delphes counts vertices to see where an event ends, and
    begins with the root vertex, so there are two beam particles; vertices other than the origin hang on it by a
    decayed particle each.

    Args:
        path: file to write.
        particles: generated stable particles.
        numbers: event numbers to write, one for every event.
    """
    import pyhepmc  # starts the program `dot`: only where there is HepMC to write

    with pyhepmc.open(str(path), "w", precision=_DOUBLE) as stream:
        for event, number in enumerate(numbers):
            first, last = particles.offsets[event : event + 2].tolist()
            if last > first:
                stream.write(_hepmc_event(particles, slice(first, last), number))


def _hepmc_event(particles: Particles, rows: slice, number: int) -> Any:
    import pyhepmc

    event = pyhepmc.GenEvent(pyhepmc.Units.GEV, pyhepmc.Units.MM)
    event.event_number = number
    momenta = np.stack([getattr(particles, name)[rows] for name in ("px", "py", "pz", "energy")], axis=1)
    positions = np.stack([getattr(particles, name)[rows] for name in ("vx", "vy", "vz")], axis=1)
    places, place_of = np.unique(positions, axis=0, return_inverse=True)
    place_of = place_of.ravel()  # NumPy 2.0 gives it the shape of the input
    vertices = _vertices(event, places, momenta, place_of)
    final = zip(momenta, particles.pdg_id[rows], particles.mass[rows], place_of, strict=True)
    for momentum, pdg_id, mass, place in final:
        particle = pyhepmc.GenParticle(momentum.tolist(), int(pdg_id), HEPMC_FINAL)
        particle.generated_mass = float(mass)
        vertices[place].add_particle_out(particle)
    return event


def _vertices(event: Any, places: npt.NDArray[Any], momenta: npt.NDArray[Any], place_of: Integers) -> list[Any]:
    """Vertices of the event at these places, `(n_places, 3)` in mm."""
    import pyhepmc

    primary = pyhepmc.GenVertex()
    energy = float(momenta[:, 3].sum()) / 2
    for direction in (1, -1):
        primary.add_particle_in(pyhepmc.GenParticle((0.0, 0.0, direction * energy, energy), PROTON, HEPMC_BEAM))
    event.add_vertex(primary)
    vertices = []
    for number, place in enumerate(places):
        if not place.any():
            vertices.append(primary)
            continue
        link = pyhepmc.GenParticle(momenta[place_of == number].sum(axis=0).tolist(), _DISPLACED, HEPMC_DECAYED)
        primary.add_particle_out(link)
        vertex = pyhepmc.GenVertex((*place.tolist(), 0.0))
        vertex.add_particle_in(link)
        event.add_vertex(vertex)
        vertices.append(vertex)
    return vertices


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
