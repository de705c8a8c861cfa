"""Herwig 7 as an external program: it showers, hadronizes and decays slices of LHE events.

One call of Herwig makes one slice with one seed. Options and input commands are those of Herwig 7.2 and 7.3
(arXiv:1912.06509, https://herwig.hepforge.org); see docs/herwig.md.
"""

import math
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Final

import pylhe

from resim.card.herwig_settings import HEPMC_FILE, LHE_FILE, RUN, input_file
from resim.common.errors import InputError
from resim.common.external import run_logged, scratch_folder
from resim.common.units import PROTON, PYTHIA_SEED_MAX
from resim.hard_scatter.lhe_reading import Beams
from resim.hard_scatter.lhe_writing import write_lhe
from resim.shower.generator import Generator, SliceFailed
from resim.shower.hepmc import ShoweredEvent, in_order, read_events

SEED_MAX: Final = PYTHIA_SEED_MAX
"""ThePEG's StandardRandom and Pythia use the same generator (RANMAR), with seeds below 900,000,000."""

_EXECUTABLE: Final = "Herwig"
_OLDEST: Final = (7, 2)
"""Before, input files have other names of objects, and some readers skip events."""
_VERSION: Final = re.compile(r"\bHerwig\D{0,3}(\d+(?:\.\d+)+)")
_LOG: Final = "herwig.out"
"""What Herwig prints; it also writes `resim-S<seed>.log`."""


class Herwig(Generator):
    """Herwig 7 with fixed beams and settings.

    Attributes:
        version: version of the installed Herwig, such as `7.3.0`.

    Raises:
        InputError: no executable `Herwig` of version 7.2 or later on PATH, or beams that are not (anti)protons.
    """

    def __init__(self, beams: Beams, settings: tuple[str, ...]) -> None:
        if {abs(beams.pdg_id_a), abs(beams.pdg_id_b)} != {PROTON}:
            raise InputError(f"Herwig is set up for (anti)proton beams, not {beams}; use pythia8")
        self._executable = _find_executable()
        self.version = _version(self._executable)
        self._beams = beams
        self._settings = settings
        self._run_file: bytes | None = None

    def simulate(self, events: Sequence[pylhe.LHEEvent], seed: int) -> list[ShoweredEvent | None]:
        """Shower, hadronize and decay the events of one slice.

        The result depends on the events of the slice, their order, the seed, beams and settings, on nothing else.

        Args:
            events: hard scatters; their scales (SCALUP) must be positive.
            seed: 1 ... `SEED_MAX`.

        Returns:
            One entry for each event, None where Herwig gave the event up.

        Raises:
            SliceFailed: Herwig crashed or ended early, or its output is not the slice in its order. The folder with
                its log is kept.
            InputError: an event without scale, or Herwig refuses a setting; another seed does not help.
        """
        if not 1 <= seed <= SEED_MAX:
            raise ValueError(f"seed {seed} is outside of 1 ... {SEED_MAX}")
        for index, event in enumerate(events):
            if not event.eventinfo.scale > 0:
                raise InputError(
                    f"event {index} of the slice: SCALUP is {event.eventinfo.scale}, but Herwig limits emissions by"
                    " it; want LHE events with a positive scale, or use pythia8"
                )
        return self._run(events, seed) if events else []

    def _run(self, events: Sequence[pylhe.LHEEvent], seed: int) -> list[ShoweredEvent | None]:
        self._run_file = self._run_file or self._read()
        # Herwig reads events until it has made the number it was asked for. So that it never reads past the end
        # of the file, where it would start over, spare events follow those of the slice.
        spares = [_turned(event) for event in events]
        with scratch_folder("herwig") as folder:
            (folder / f"{RUN}.run").write_bytes(self._run_file)
            write_lhe(folder / LHE_FILE, self._beams, [*events, *spares])
            try:
                self._call(folder, "run", f"{RUN}.run", "-N", str(len(events)), "-s", str(seed), "-q")
                return in_order(read_events(folder / HEPMC_FILE), events, spares)
            except InputError as error:
                raise SliceFailed(f"Herwig, seed {seed}: {error}; log: {folder / _LOG}") from error

    def _read(self) -> bytes:
        """Make the run file with a fixed hard scatter, so that it does not depend on which slice comes first."""
        with scratch_folder("herwig") as folder:
            write_lhe(folder / LHE_FILE, self._beams, [_placeholder(self._beams)])
            (folder / f"{RUN}.in").write_text(input_file(self._settings), encoding="utf-8")
            try:
                self._call(folder, "read", f"{RUN}.in")
                return (folder / f"{RUN}.run").read_bytes()
            except (InputError, FileNotFoundError) as error:
                raise InputError(f"Herwig refuses its input file: {error}; log: {folder / _LOG}") from error

    def _call(self, folder: Path, *arguments: str) -> None:
        # ThePEG_RUN_DIR would send run file and logs elsewhere.
        environment = {key: value for key, value in os.environ.items() if key != "ThePEG_RUN_DIR"}
        run_logged([self._executable, *arguments], folder / _LOG, environment)


@lru_cache(maxsize=8)
def herwig_for(beams: Beams, settings: tuple[str, ...]) -> Herwig:
    """The process's Herwig for these beams and settings: reading its input takes tens of seconds."""
    return Herwig(beams, settings)


def _find_executable() -> str:
    found = shutil.which(_EXECUTABLE)
    if found is None:
        raise InputError(
            "executable Herwig not found on PATH; install Herwig 7.2 or later (herwig.hepforge.org) and source its"
            " bin/activate, or take the view with generator herwig7 out of the card"
        )
    return found


def _version(executable: str) -> str:
    try:
        done = subprocess.run([executable, "--version"], capture_output=True, text=True, check=False)
    except OSError as error:
        raise InputError(f"{executable}: cannot be run ({error.strerror}); repair the installation") from error
    text = done.stdout + done.stderr
    found = _VERSION.search(text)
    if found is None:
        said = " ".join(text.split())[:100]
        raise InputError(f"{executable} --version says {said!r}, which names no Herwig version; want 7.2 or later")
    if tuple(map(int, found[1].split(".")[:2])) < _OLDEST:
        raise InputError(f"{executable}: version {found[1]} is too old; want Herwig 7.2 or later")
    return found[1]


def _turned(event: pylhe.LHEEvent) -> pylhe.LHEEvent:
    """The event rotated by pi about the beam: equally probable, and different from every event of the slice."""
    return replace(event, particles=[replace(p, px=-p.px, py=-p.py) for p in event.particles])


def _placeholder(beams: Beams) -> pylhe.LHEEvent:
    """A hard scatter d dbar -> mu- mu+ across the beam, each parton with 1/100 of the lower beam energy."""
    energy = min(beams.energy_a, beams.energy_b) / 100
    mass = 0.1056584  # GeV, PDG
    momentum = math.sqrt(energy**2 - mass**2)
    rows = (  # PDG id, status, mothers, colours, px, pz, mass
        (1, -1, (0, 0), (501, 0), 0.0, energy, 0.0),
        (-1, -1, (0, 0), (0, 501), 0.0, -energy, 0.0),
        (13, 1, (1, 2), (0, 0), momentum, 0.0, mass),
        (-13, 1, (1, 2), (0, 0), -momentum, 0.0, mass),
    )
    particles = [
        pylhe.LHEParticle(pdg_id, status, *mothers, *colours, px, 0.0, pz, energy, m, lifetime=0.0, spin=9.0)
        for pdg_id, status, mothers, colours, px, pz, m in rows
    ]
    info = pylhe.LHEEventInfo(len(particles), 1, 1.0, scale=2 * energy, aqed=1 / 128, aqcd=0.118)
    return pylhe.LHEEvent(info, particles)
