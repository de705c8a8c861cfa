"""COCOA itself as an external program (arXiv:2303.02101): Geant4 in place of the parametrized showers.

`COCOA --macro FILE --config JSON --input HEPMC --output ROOT --seed N --nevents N` makes the events of one seed.
Cells and tracks are COCOA's; clusters, particle flow and candidates are made of them as for the parametrized
calorimeter.
"""

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from resim.card.calorimeter_card import CalorimeterCard, read_calorimeter
from resim.common.arrays import Booleans
from resim.common.errors import InputError
from resim.common.external import run_logged, scratch_folder
from resim.common.ragged import runs_of
from resim.detector.cells.cell_detector import joined, readout_of
from resim.detector.cells.energy_flow import EnergyFlow
from resim.detector.cells.media import Stack
from resim.detector.cells.readout import CellHits, Readout, Tracks
from resim.detector.detector import check_particles, checked_seeds
from resim.detector.hepmc_text import write_hepmc
from resim.detector.objects import Objects
from resim.particles import Candidates, Particles

EXECUTABLE: Final = "COCOA"
SEED_MAX: Final = 2**31 - 1
"""COCOA reads its seed as a 32-bit integer."""
TABLES: Final = ("tracking_configuration", "pflow_configuration")
"""Folders that COCOA reads from where it runs: those beside its executable, or one above."""

_MACRO, _CONFIG, _HEPMC, _ROOT, _LOG = "run.in", "config.json", "in.hepmc", "out.root", "cocoa.out"
_COMMANDS: Final = """\
/generator/select hepmc
/generator/hepmc/open {events}
/generator/hepmc/first_event 0
/run/beamOn {number}
"""


@dataclass(frozen=True, slots=True)
class Cocoa:
    """COCOA with a calorimeter card.

    Attributes:
        path: the card.
        card: what it says.
        flow: makes candidates.
        executable: path of `COCOA`.
        version: the first digits of the hash of its tables of track resolution, or `unknown`: the program cannot be
            asked.
    """

    path: Path
    card: CalorimeterCard
    flow: EnergyFlow
    executable: str
    version: str

    @classmethod
    def from_card(cls, path: str | Path) -> Self:
        """Find COCOA and read a calorimeter card.

        Raises:
            InputError: no executable `COCOA` on PATH, or a card that is wrong or has no section `cocoa`.
        """
        executable = shutil.which(EXECUTABLE)
        if executable is None:
            raise InputError(
                f"executable {EXECUTABLE} not found on PATH; build COCOA (cocoa-hep.readthedocs.io) and add its"
                " folder to PATH, or take `backend: cocoa` out of the card"
            )
        card = read_calorimeter(Path(path))
        if card.cocoa is None:
            raise InputError(f"{path}: has no section cocoa, which backend cocoa hands over; see docs/calorimeter.md")
        return cls(Path(path), card, EnergyFlow.of(card, Stack.of(card)), executable, _version(executable))

    def run(self, particles: Particles, seeds: Sequence[int] | npt.NDArray[Any]) -> Candidates:
        """Particle-flow candidates of a batch of events, as `CellDetector.run`."""
        return self.read_out(particles, seeds).candidates

    def read_out(self, particles: Particles, seeds: Sequence[int] | npt.NDArray[Any]) -> Readout:
        """Cells, clusters, tracks and candidates of a batch of events, as `CellDetector.read_out`.

        Neighbouring events with the same seed are made in one run, and depend on one another. Particles that start
        behind the surface of the calorimeter, or that no detector sees, are not handed over.

        Args:
            particles: generated stable particles.
            seeds: `(n_events,)`, integers 1 ... `SEED_MAX`.

        Raises:
            InputError: wrong seeds, particles that are not physical, or a run of COCOA that failed. The folder with
                its log is kept.
        """
        keys = checked_seeds(seeds, particles.n_events)
        check_particles(particles)
        found, clusters = [_nothing(len(self.card.layers))], 0
        for run in runs_of(keys):
            hits, tracks = self._run(particles.events(run.start, run.stop), int(keys[run.start]))
            found.append(_moved(hits, tracks, run.start, clusters))
            clusters += int(hits.cluster.max(initial=-1)) + 1
        hits = _concatenated([hits for hits, _ in found])
        return readout_of(hits, joined([tracks for _, tracks in found]), self.card, self.flow, particles.n_events)

    def _run(self, particles: Particles, seed: int) -> tuple[CellHits, Tracks]:
        """Cells and tracks of events that share a seed."""
        from resim.detector.cells.cocoa_files import read_cocoa

        if not 1 <= seed <= SEED_MAX:
            raise InputError(f"seed {seed} of COCOA: want a whole number in 1 ... {SEED_MAX}")
        seen = particles.select(particles.visible & self._from_inside(particles))
        some = np.diff(seen.offsets) > 0
        if not some.any():
            return _nothing(len(self.card.layers))
        with scratch_folder("cocoa") as folder:
            number = int(some.sum())
            self._prepare(folder, seen, number)
            command = [self.executable, "--macro", _MACRO, "--config", _CONFIG, "--input", _HEPMC, "--output", _ROOT]
            try:
                run_logged([*command, "--seed", str(seed), "--nevents", str(number)], folder / _LOG)
                return read_cocoa(folder / _ROOT, particles, some, len(self.card.layers))
            except InputError as error:
                raise InputError(f"COCOA, {self.path.name}, seed {seed}: {error}; log: {folder / _LOG}") from error

    def _from_inside(self, particles: Particles) -> Booleans:
        """Which particles start in front of the calorimeter, bool `(n_particles,)`."""
        radius, half_length = self.card.radius, self.card.radius * np.sinh(self.card.abs_eta_barrel)
        inside = np.hypot(particles.vx, particles.vy) < radius
        return np.asarray(inside & (np.abs(particles.vz) < half_length))

    def _prepare(self, folder: Path, particles: Particles, number: int) -> None:
        """Write what COCOA reads."""
        for table in _tables(self.executable):
            (folder / table.name).symlink_to(table)
        (folder / _CONFIG).write_text(json.dumps(self.card.cocoa, indent=1), encoding="utf-8")
        (folder / _MACRO).write_text(_COMMANDS.format(events=_HEPMC, number=number), encoding="utf-8")
        write_hepmc(folder / _HEPMC, [(particles, range(particles.n_events))])


def _tables(executable: str) -> list[Path]:
    """The folders `TABLES`, where COCOA was built or installed."""
    own = Path(executable).resolve().parent
    for folder in (own, own.parent):
        if (folder / TABLES[0]).is_dir():
            return [folder / name for name in TABLES if (folder / name).is_dir()]
    return []


def _version(executable: str) -> str:
    files = sorted(file for folder in _tables(executable) for file in folder.glob("*.csv"))
    digest = hashlib.sha256(b"".join(file.name.encode() + file.read_bytes() for file in files))
    return f"tables {digest.hexdigest()[:12]}" if files else "unknown"


def _nothing(n_layers: int) -> tuple[CellHits, Tracks]:
    integers, floats, crossings = np.empty(0, np.int64), np.empty(0), np.empty((0, n_layers))
    hits = CellHits(integers, integers, floats, floats, floats, integers)
    return hits, Tracks(
        Objects.of(event=integers, item=integers, pdg_id=integers.astype(np.int32)), crossings, crossings
    )


def _moved(hits: CellHits, tracks: Tracks, events: int, clusters: int) -> tuple[CellHits, Tracks]:
    """The same behind so many events and clusters."""
    objects = replace(tracks.objects, event=tracks.objects.event + events)
    return replace(hits, event=hits.event + events, cluster=hits.cluster + clusters), replace(tracks, objects=objects)


def _concatenated(parts: Sequence[CellHits]) -> CellHits:
    return CellHits(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(CellHits)))
