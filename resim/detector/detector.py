"""The modules of a Delphes card that shape particle-flow candidates, run on whole batches of events."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from resim.card.calorimeter_card import is_calorimeter_card
from resim.common.errors import InputError
from resim.common.ragged import offsets_of
from resim.common.units import PHOTON
from resim.detector.card import Card, read_card
from resim.detector.lineage import GENERATED
from resim.detector.lint import notes_on
from resim.detector.modules import Module, candidate_modules
from resim.detector.objects import Objects, concatenate
from resim.detector.pileup import PileUp, PileUpMerger, Vertices
from resim.detector.random import Stream
from resim.detector.tracking import PassThrough
from resim.particles import Candidates, Particles

_PARTICLES_AT_A_TIME: Final = 100_000
"""Events are taken in groups of about this many particles, which bounds the memory and suits caches."""


@dataclass(frozen=True, slots=True)
class Detector:
    """A detector as a Delphes card describes it.

    Attributes:
        card: the card.
        modules: names and modules that shape the candidates, in the order in which they run.
        left_out: `Class Name` of modules that candidates do not depend on (isolation, tagging, jets ...).
        ignored: `Class Name` of modules that candidates pass, but that change none of their columns.
        notes: what in the card is allowed, but hardly meant.
    """

    card: Path
    modules: tuple[tuple[str, Module], ...]
    left_out: tuple[str, ...]
    ignored: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @classmethod
    def from_card(cls, path: str | Path, pileup: PileUp | None = None) -> "Detector":
        """Read a Delphes card; takes about 0.2 s.

        Args:
            path: the card.
            pileup: what a card with pile-up mixes into the events; without it such a card is read, but does not run.

        Raises:
            InputError: the card is wrong, candidates depend on something that is not known here, or there is pile-up
                for a card that has no place for it; the message names card, line, module and parameter.
        """
        if is_calorimeter_card(Path(path)):
            kind = "resim.detector.cells.cell_detector.CellDetector"
            raise InputError(f"{path}: a calorimeter card; read it with {kind}")
        card = read_card(Path(path))
        modules = candidate_modules(card)
        if pileup is not None:
            modules = _with_pileup(card, modules, pileup)
        others = [module for module in card.modules if module.name not in modules]
        return cls(
            card=card.path,
            modules=tuple(modules.items()),
            left_out=tuple(f"{module.kind} {module.name}" for module in others),
            ignored=tuple(
                f"{card.by_name[name].kind} {name}" for name, m in modules.items() if isinstance(m, PassThrough)
            ),
            notes=tuple(notes_on(card, modules)),
        )

    def require_pileup(self) -> None:
        """Check that there is pile-up if the card has a place for it.

        Raises:
            InputError: there is none.
        """
        for _, module in self.modules:
            if isinstance(module, PileUpMerger):
                module.require_pileup()

    def run(self, particles: Particles, seeds: Sequence[int] | npt.NDArray[Any]) -> Candidates:
        """Reconstruct a batch of events.

        What an event gives depends on the event, its seed and the card only, not on the batch that it is in.

        Args:
            particles: generated stable particles.
            seeds: `(n_events,)`, integers 0 ... 2⁶⁴ - 1.

        Returns:
            Particle-flow candidates; in every event tracks in the order of the generated particles, then photons,
            then neutral hadrons. Their vertices are the points of closest approach to the beam, in the coordinates of
            the generated particles: with pile-up, dz is relative to the hard collision.

        Raises:
            InputError: wrong seeds, particles that are not physical, or a module that cannot run.
        """
        keys = checked_seeds(seeds, particles.n_events)
        check_particles(particles)
        found = [self._run(group, keys[events], events.start) for events, group in self._groups(particles)]
        return candidates_of(concatenate(found), particles.n_events)

    def _run(self, particles: Particles, seeds: npt.NDArray[np.uint64], first: int) -> Objects:
        """Candidates of a group of events, whose first one has the number `first`."""
        arrays: dict[str, Any] = {GENERATED: particles}
        for name, module in self.modules:
            made = module.run(*(arrays[array] for array in module.inputs), stream=Stream.of(seeds, name))
            arrays.update(zip(module.outputs, made, strict=True))
        candidates: Objects = arrays[self.modules[-1][1].outputs[0]]
        for array in arrays.values():
            if isinstance(array, Vertices):
                candidates = array.seen_from_hard(candidates)
        return replace(candidates, event=candidates.event + first)

    def _groups(self, particles: Particles) -> Iterator[tuple[slice, Particles]]:
        """The events in groups of about equal size, pile-up included."""
        pileup = [module.pileup for _, module in self.modules if isinstance(module, PileUpMerger)]
        added = sum(int(p.mu * p.pool.mean_particles) for p in pileup if p)
        return event_groups(particles, particles.offsets + added * np.arange(particles.n_events + 1))


def _with_pileup(card: Card, modules: dict[str, Module], pileup: PileUp) -> dict[str, Module]:
    """The modules; those that mix pile-up into the events have it."""
    if not any(isinstance(module, PileUpMerger) for module in modules.values()):
        raise InputError(
            f"{card.path}: there is pile-up with a mean of {pileup.mu:g}, but the candidates of this card depend on"
            " no PileUpMerger; use a card with one, such as cards/delphes/cms_pileup.tcl, or no pile-up"
        )
    return {
        name: replace(module, pileup=pileup) if isinstance(module, PileUpMerger) else module
        for name, module in modules.items()
    }


def checked_seeds(seeds: Sequence[int] | npt.NDArray[Any], n_events: int) -> npt.NDArray[np.uint64]:
    """The seeds of the events as uint64 `(n_events,)`.

    Raises:
        InputError: not one for each event, or not in 0 ... 2⁶⁴ - 1.
    """
    if len(seeds) != n_events:
        raise InputError(f"{len(seeds)} detector seeds for {n_events} events; want one for each")
    for event, seed in enumerate(seeds):
        if not isinstance(seed, int | np.integer) or not 0 <= seed < 1 << 64:
            raise InputError(f"detector seed {seed!r} of event {event}: want a whole number in 0 ... 2^64 - 1")
    return np.array([int(seed) for seed in seeds], np.uint64)


def check_particles(particles: Particles) -> None:
    """Refuse particles that no generator should make.

    Raises:
        InputError: for the first particle that is not finite or faster than light.
    """
    columns = ("px", "py", "pz", "energy", "mass", "charge", "vx", "vy", "vz")
    with np.errstate(invalid="ignore"):
        total = sum(getattr(particles, name) for name in columns)
        p2 = particles.px**2 + particles.py**2 + particles.pz**2
        # 32-bit floats, in which many files are, round p and E by up to 1e-7 each.
        fast = (particles.energy <= 0) | (p2 > particles.energy**2 * (1 + 1e-5))
    wrong = np.flatnonzero(~np.isfinite(total) | ~np.isfinite(p2) | fast)
    if len(wrong):
        i = int(wrong[0])
        event = int(np.searchsorted(particles.offsets, i, side="right")) - 1
        values = ", ".join(f"{name} = {getattr(particles, name)[i]:g}" for name in columns)
        raise InputError(
            f"event {event}, particle {i - particles.offsets[event]} (PDG id {particles.pdg_id[i]}): {values}; "
            "want finite values and an energy above 0 and not below the momentum; repair the generator's output"
        )


def event_groups(particles: Particles, sizes: npt.NDArray[np.int64]) -> Iterator[tuple[slice, Particles]]:
    """Consecutive events in groups; at least one group, and at least one event in each if there is any.

    Args:
        particles: the events.
        sizes: `(n_events + 1,)`, how large the events before each one are together, in particles.
    """
    start = 0
    while True:
        stop = int(np.searchsorted(sizes, sizes[start] + _PARTICLES_AT_A_TIME, side="right")) - 1
        stop = min(max(stop, start + 1), particles.n_events)
        yield slice(start, stop), particles.events(start, stop)
        start = stop
        if start >= particles.n_events:
            return


def candidates_of(objects: Objects, n_events: int) -> Candidates:
    """Candidates sorted by event and kind (tracks, photons, neutral hadrons), without those of pT = 0.

    Args:
        objects: tracks and neutral candidates; their order is kept among equals.
        n_events: number of events in the batch.
    """
    objects = objects.select(objects.pt > 0)
    kind = np.where(objects.charge != 0, 0, np.where(objects.pdg_id == PHOTON, 1, 2))
    objects = objects.select(np.lexsort((kind, objects.event)))
    return Candidates(
        offsets=offsets_of(np.bincount(objects.event, minlength=n_events)),
        px=objects.pt * objects.ux,
        py=objects.pt * objects.uy,
        pz=objects.pt * objects.slope,
        energy=objects.energy,
        mass=objects.mass,
        pdg_id=objects.pdg_id,
        charge=objects.charge,
        vx=objects.d0 * objects.uy,
        vy=-objects.d0 * objects.ux,
        vz=objects.dz,
        d0=objects.d0,
        dz=objects.dz,
        d0_err=objects.d0_err,
        dz_err=objects.dz_err,
        origin=np.where(objects.charge != 0, objects.item, -1),
    )
