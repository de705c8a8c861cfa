"""Real Delphes as an external program: `DelphesHepMC3 CARD out.root in.hepmc`.

One call makes the events of one seed. Delphes: J. de Favereau et al., JHEP 02 (2014) 057, arXiv:1307.6346.
"""

import logging
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from resim.card.delphes_card import evaluate_card
from resim.common.errors import InputError
from resim.common.external import run_logged, scratch_folder
from resim.common.ragged import offsets_of, runs_of
from resim.common.tcl.values import TclError, items_of, text_of
from resim.detector.detector import check_particles, checked_seeds
from resim.detector.hepmc_text import write_hepmc
from resim.detector.particle_flow import candidates_of
from resim.particles import Candidates, Particles

log = logging.getLogger(__name__)

EXECUTABLE: Final = "DelphesHepMC3"
SEED_MAX: Final = 2**31 - 1
"""Cards hold 32-bit integers; 0 would be a seed from the clock (ROOT's `TRandom3::SetSeed`)."""

_CARD, _HEPMC, _ROOT, _LOG = "card.tcl", "in.hepmc", "out.root", "delphes.out"
_FIRST_NUMBER: Final = 1001
"""Number of the first event; programs that number events themselves start at 0 or 1, so mistakes show."""
_OURS: Final = "\n# Set by resim, whatever is set above.\nset RandomSeed {seed}\nset MaxEvents 0\nset SkipEvents 0\n"
_READS_FILES: Final = re.compile(r"^[ \t]*(?:source|set[ \t]+PileUpFile)[ \t]+(\S+)", re.MULTILINE)
_BRANCHES: Final = {"eflowTracks": "EFlowTrack Track", "eflowPhotons": "EFlowPhoton Tower"} | {
    "eflowNeutralHadrons": "EFlowNeutralHadron Tower"
}
"""Output arrays of Delphes' calorimeters → branch and class that its TreeWriter gives them."""


@dataclass(frozen=True, slots=True)
class Delphes:
    """Real Delphes with a card.

    Attributes:
        card: the card.
        text: its content.
        executable: path of `DelphesHepMC3`.
        version: what the file VERSION of the installation says, or `unknown`: the program cannot be asked.
    """

    card: Path
    text: str
    executable: str
    version: str

    @classmethod
    def from_card(cls, path: str | Path) -> "Delphes":
        """Find Delphes and read a card, which Delphes itself checks when it runs.

        Raises:
            InputError: no executable `DelphesHepMC3` on PATH, or a card that cannot be read or reads other files.
        """
        executable = shutil.which(EXECUTABLE)
        if executable is None:
            raise InputError(
                f"executable {EXECUTABLE} not found on PATH; install Delphes 3.5"
                " (cp3.irmp.ucl.ac.be/projects/delphes) and add its folder to PATH,"
                " or take `backend: delphes` out of the card"
            )
        card = Path(path)
        return cls(card, _text(card), executable, _version(executable))

    def run(self, particles: Particles, seeds: Sequence[int] | npt.NDArray[Any]) -> Candidates:
        """Reconstruct a batch of events, as `resim.detector.Detector.run`.

        Neighbouring events with the same seed are made in one run, and depend on one another.

        Args:
            particles: generated stable particles; those that ROOT's particle table lacks leave no trace.
            seeds: `(n_events,)`, integers 1 ... `SEED_MAX`.

        Returns:
            Particle-flow candidates; in every event tracks, then photons, then neutral hadrons.

        Raises:
            InputError: wrong seeds, particles that are not physical, or a run of Delphes that failed. The folder
                with its log is kept.
        """
        keys = checked_seeds(seeds, particles.n_events)
        check_particles(particles)
        parts = [self._run(particles.events(run.start, run.stop), int(keys[run.start])) for run in runs_of(keys)]
        return _joined([_nothing(0), *parts])

    def _run(self, particles: Particles, seed: int) -> Candidates:
        """Candidates of events that share a seed."""
        from resim.detector.delphes_files import read_candidates

        if not 1 <= seed <= SEED_MAX:
            raise InputError(f"seed {seed} of Delphes: want a whole number in 1 ... {SEED_MAX}")
        numbers = list(range(_FIRST_NUMBER, _FIRST_NUMBER + particles.n_events))
        some = np.diff(particles.offsets) > 0  # Delphes does not see where an event without particles ends
        if not some.any():
            return _nothing(particles.n_events)
        with scratch_folder("delphes") as folder:
            (folder / _CARD).write_text(self.text + _OURS.format(seed=seed), encoding="utf-8")
            write_hepmc(folder / _HEPMC, [(particles, numbers)])
            try:
                run_logged([self.executable, _CARD, _ROOT, _HEPMC], folder / _LOG)
                return read_candidates(folder / _ROOT, numbers, some)
            except InputError as error:
                raise InputError(f"Delphes, {self.card.name}, seed {seed}: {error}; log: {folder / _LOG}") from error


def _text(card: Path) -> str:
    try:
        text = card.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{card}: cannot be read ({error}); want a Delphes card (Tcl)") from error
    if found := _READS_FILES.search(text):
        raise InputError(
            f"{card}: reads {found[1]}, which no hash would record; put its content into the card, or leave pile-up"
            " to `backend: resim` with a pool"
        )
    return text + _missing_branches(card)


def _missing_branches(card: Path) -> str:
    """Lines that let the card's TreeWriter write the particle flow as well, if it does not."""
    try:
        found = evaluate_card(card).modules
        merger = [text_of(name) for name in items_of(found["EFlowMerger"].parameters["InputArray"])]
        writer = next(module for module in found.values() if module.kind == "TreeWriter")
        written = {text_of(word) for word in items_of(writer.parameters.get("Branch", ""))}
    except (InputError, TclError, KeyError, StopIteration):
        return ""  # Delphes itself says what is wrong
    branches = [
        f"{array} {branch}"
        for array in merger
        if (branch := _BRANCHES.get(array.rpartition("/")[2])) and branch.split()[0] not in written
    ]
    if not branches:
        return ""
    log.warning("%s: its TreeWriter writes no particle flow; resim adds the branches %s", card, ", ".join(branches))
    return f"\n# Added by resim.\nnamespace eval {writer.name} {{ lappend Branch {' '.join(branches)} }}\n"


def _version(executable: str) -> str:
    """Content of the file VERSION beside the executable, or `unknown`."""
    try:
        return (Path(executable).resolve().parent / "VERSION").read_text(encoding="utf-8").strip() or "unknown"
    except (OSError, UnicodeDecodeError):
        return "unknown"


def _nothing(n_events: int) -> Candidates:
    nothing = {"event": np.empty(0, np.int64)}
    return candidates_of(nothing, nothing, nothing, n_events)


def _joined(parts: Sequence[Candidates]) -> Candidates:
    """Candidates of several batches of events, one batch after the other."""
    names = [field.name for field in fields(Candidates) if field.name != "offsets"]
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return Candidates(offsets=offsets_of(np.concatenate([np.diff(part.offsets) for part in parts])), **columns)
