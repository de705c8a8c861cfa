"""The command `resim hard-scatter`: from a process card to an LHE file that is whole and fulfils the card."""

import gzip
import logging
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from resim.common.atomic_write import OTHER_OUTPUT, atomic_write
from resim.common.commandline import refuse_existing
from resim.common.errors import InputError
from resim.common.units import PYTHIA_SEED_MAX
from resim.hard_scatter.lhe_reading import Survey, survey
from resim.hard_scatter.lhe_text import open_lhe
from resim.hard_scatter.madgraph import find_madgraph, run_madgraph
from resim.hard_scatter.process_card import MadGraphProcess, PythiaProcess, load_process_card
from resim.hard_scatter.requirements import check_requirements

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HardScatterOptions:
    """How to make hard scatters: `resim hard-scatter`'s options.

    Attributes:
        n_events: events to make, None for the number in the card.
        seed: the file's seed, in the range of both generators.
        force: replace an existing output.
        quiet: no progress report.
    """

    n_events: int | None = None
    seed: int = 1
    force: bool = False
    quiet: bool = False

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            InputError: an option is out of range.
        """
        if self.n_events is not None and self.n_events < 1:
            raise InputError(f"--n-events {self.n_events}: must be at least 1")
        if not 1 <= self.seed <= PYTHIA_SEED_MAX:
            raise InputError(f"--seed {self.seed}: must be in 1 ... {PYTHIA_SEED_MAX}")


def make_hard_scatters(card_path: Path, output: Path, options: HardScatterOptions) -> Survey:
    """Make an LHE file, gzipped if its name says so; it appears under its name only when it is whole and checked.

    MadGraph's log is kept as `OUTPUT.log` if anything fails.

    Raises:
        InputError: bad card, missing program, failed run, or events that do not fulfil the card.
    """
    if not output.name.endswith((".lhe", ".lhe.gz")):
        raise InputError(f"{output}: want a name that ends in .lhe or .lhe.gz; choose another output")
    card = load_process_card(card_path)
    refuse_existing(output, options.force)
    n_events = options.n_events or card.n_events
    run_log = output.with_name(f"{output.name}.log")
    with TemporaryDirectory(prefix="resim-hard-scatter-") as scratch:
        try:
            made = _make(card, n_events, options, Path(scratch), run_log)
            found = _check(made, card, n_events)
        except InputError as error:
            where = f" (log: {run_log})" if isinstance(card, MadGraphProcess) and run_log.exists() else ""
            raise InputError(f"{card_path}: {error}{where}") from error
        _deliver(made, output)
    if isinstance(card, MadGraphProcess):
        run_log.unlink(missing_ok=True)
    return found


def _make(
    card: PythiaProcess | MadGraphProcess, n_events: int, options: HardScatterOptions, scratch: Path, run_log: Path
) -> Path:
    if isinstance(card, MadGraphProcess):
        run_log.unlink(missing_ok=True)  # of an earlier failure
        find_madgraph()
        if not options.quiet:
            log.info("hard-scatter: MadGraph runs; it writes to %s", run_log)
        return run_madgraph(card, n_events, options.seed, scratch, run_log)
    from resim.hard_scatter.pythia_process import write_pythia_events

    path = scratch / "pythia.lhe"
    write_pythia_events(card, n_events, options.seed, path, options.quiet)
    return path


def _check(made: Path, card: PythiaProcess | MadGraphProcess, n_events: int) -> Survey:
    """Read the file back as `resim generate` will."""
    found = survey(made)
    if found.n_events != n_events:
        raise InputError(
            f"the generator made {found.n_events} of {n_events} events; ask for fewer with -n, or ease the cuts"
        )
    beams = found.beams.energy_a, found.beams.energy_b
    wanted = card.beam_energies
    if any(abs(a - b) > 1e-6 * b for a, b in zip(beams, wanted, strict=True)):
        raise InputError(f"the events have beams of {beams} GeV, the card wants {wanted}; correct the card")
    check_requirements(made, card.require)
    return found


def _deliver(made: Path, output: Path) -> None:
    """Copy to the output's folder, (de)compressing as its name says, and then rename."""
    with (
        atomic_write(output, OTHER_OUTPUT) as partial,
        open_lhe(made) as source,
        partial.open("wb") as raw,
        # no name, no date: equal bytes
        gzip.GzipFile("", "wb", fileobj=raw, mtime=0) if output.suffix == ".gz" else raw as target,
    ):
        shutil.copyfileobj(source, target)
