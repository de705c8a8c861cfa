"""Read events of another generator from HepMC and prove which LHE event each of them was made from."""

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pylhe

from resim.common.errors import InputError
from resim.common.silence import stdout_silenced
from resim.common.units import HEPMC_FINAL, LHE_INCOMING, LHE_OUTGOING, TAU
from resim.shower.event_record import FINAL_PARTICLE, Records
from resim.shower.tau import decay_products

_ROUNDING: Final = 1e-6
"""Largest difference of a hard parton's momentum from the LHE event, as a fraction of its energy.

LHE files have at least 7 digits, and readers recompute the energies from the masses.
"""
_END: Final = b"END_EVENT_LISTING"
"""End mark of HepMC 2 and HepMC 3 text files; it is missing if the generator crashed."""


@dataclass(frozen=True, slots=True)
class ShoweredEvent:
    """A showered and hadronized event.

    Attributes:
        particles: the final particles, `FINAL_PARTICLE` `(n_particles,)`; GeV, production vertex in mm.
        tau_decays: for every outgoing tau of the hard process, in LHE order, its products as
            `resim.shower.tau.decay_products` gives them.
    """

    particles: Records
    tau_decays: tuple[tuple[int, ...], ...]


def read_events(path: Path) -> Iterator[Any]:
    """The events of a HepMC 2 or 3 text file one by one, as `pyhepmc.GenEvent` in GeV and mm.

    They end before an event that HepMC3 cannot parse.

    Raises:
        InputError: the file is missing, empty, not HepMC, or truncated.
    """
    _check_end(path)
    try:
        import pyhepmc  # starts the program `dot`: only where there is HepMC to read

        with pyhepmc.open(str(path)) as stream:
            events = iter(stream)
            while (event := _next(events)) is not None:
                event.set_units(pyhepmc.Units.GEV, pyhepmc.Units.MM)
                yield event
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError(f"{path}: not readable as HepMC ({error})") from error


def _next(events: Iterator[Any]) -> Any | None:
    with stdout_silenced():  # HepMC3 prints there what it cannot parse
        return next(events, None)


def _check_end(path: Path) -> None:
    if not path.is_file() or path.stat().st_size == 0:
        raise InputError(f"{path}: {'is empty' if path.is_file() else 'was not written'}; want HepMC events")
    with path.open("rb") as stream:
        stream.seek(-min(200, path.stat().st_size), os.SEEK_END)
        if _END not in stream.read():
            raise InputError(f"{path}: truncated or not HepMC: its last lines hold no {_END.decode()}")


def in_order(
    outputs: Iterable[Any], events: Sequence[pylhe.LHEEvent], spares: Sequence[pylhe.LHEEvent]
) -> list[ShoweredEvent | None]:
    """Pair generated events with the LHE events that they were made from, which must be in the same order.

    An output belongs to the LHE event whose incoming and outgoing partons are all in its record, with their PDG ids
    and four-momenta.

    Args:
        outputs: generated events, `pyhepmc.GenEvent` in GeV.
        events: the LHE events.
        spares: LHE events behind them, which the generator used up in place of events that it dropped.

    Returns:
        One entry for each of `events`; None where the generator dropped the event.

    Raises:
        InputError: an output is foreign, comes twice or out of order, or there are not as many outputs as events.
    """
    partons = [_hard_partons(event) for event in (*events, *spares)]
    results: list[ShoweredEvent | None] = [None] * len(events)
    following = count = 0
    for count, output in enumerate(outputs, 1):
        record = _Momenta(output)
        places = (record.locate(wanted) for wanted in partons[following:])
        index, found = next(((i, f) for i, f in enumerate(places, following) if f), (-1, []))
        if index < 0:
            raise InputError(_misplaced(record, count - 1, partons, following))
        if index < len(events):
            results[index] = _showered(output, partons[index], found)
        following = index + 1
    if count != len(events):
        raise InputError(f"the output ends after event {count - 1}: {count} events, the slice has {len(events)}")
    return results


def _hard_partons(event: pylhe.LHEEvent) -> list[pylhe.LHEParticle]:
    return [p for p in event.particles if p.status in (LHE_INCOMING, LHE_OUTGOING)]


def _misplaced(record: "_Momenta", output: int, partons: list[list[pylhe.LHEParticle]], following: int) -> str:
    for index in range(following):
        if record.locate(partons[index]):
            place = f"out of order or a second time, after event {following - 1}"
            return f"event {output} of the output is event {index} of the slice {place}"
    return f"event {output} of the output is foreign: its hard partons are those of no event in the slice"


class _Momenta:
    """PDG ids `(n,)` and four-momenta `(4, n)` in GeV of all particles of an event."""

    def __init__(self, event: Any) -> None:
        view = event.numpy.particles
        self._ids: npt.NDArray[np.int32] = view.pid
        self._momenta = np.stack([view.px, view.py, view.pz, view.e])

    def locate(self, partons: Sequence[pylhe.LHEParticle]) -> list[int]:
        """The place of each parton in the record, the first if it has copies; empty if one of them is missing."""
        places = []
        for p in partons:
            energy = math.hypot(p.px, p.py, p.pz, p.m)
            wanted = np.array([p.px, p.py, p.pz, energy])[:, np.newaxis]
            near = (np.abs(self._momenta - wanted) <= _ROUNDING * energy).all(axis=0)
            found = np.flatnonzero(near & (self._ids == p.id))
            if not len(found):
                return []
            places.append(int(found[0]))
        return places


def _showered(event: Any, partons: Sequence[pylhe.LHEParticle], places: Sequence[int]) -> ShoweredEvent:
    particles = event.particles
    taus = [i for p, i in zip(partons, places, strict=True) if p.status == LHE_OUTGOING and abs(p.id) == TAU]
    decays = (decay_products(_last_copy(particles[i]), lambda p: p.children, lambda p: int(p.pid)) for i in taus)
    return ShoweredEvent(final_particles(event), tuple(decays))


def _last_copy(particle: Any) -> Any:
    """The particle behind its radiation: the end of the chain of children with the same PDG id."""
    while copies := [child for child in particle.children if child.pid == particle.pid]:
        particle = copies[0]
    return particle


def final_particles(event: Any) -> Records:
    """The final particles of a `pyhepmc.GenEvent` in GeV and mm; `FINAL_PARTICLE` `(n_particles,)`."""
    view = event.numpy.particles
    final = np.flatnonzero(view.status == HEPMC_FINAL)
    records = np.empty(len(final), FINAL_PARTICLE)
    columns = {"pdg_id": "pid", "px": "px", "py": "py", "pz": "pz", "energy": "e", "mass": "generated_mass"}
    for name, source in columns.items():
        records[name] = getattr(view, source)[final]
    particles = event.particles
    for record, index in zip(records, final.tolist(), strict=True):
        position = particles[index].production_vertex.position
        record["vx"], record["vy"], record["vz"] = position.x, position.y, position.z
    return records
