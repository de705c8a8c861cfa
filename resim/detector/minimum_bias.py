"""The command `resim pileup`: minimum-bias events of Pythia for a pool."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pythia8mc

from resim.card.pythia_settings import read_cmnd
from resim.common.commandline import refuse_existing
from resim.common.errors import InputError
from resim.common.progress import ProgressReport
from resim.common.seeds import SeedKey, pythia_seed
from resim.common.silence import stdout_silenced
from resim.common.units import PYTHIA_SEED_MAX
from resim.common.versions import identifying_versions
from resim.detector.pool import PARTICLE, PoolProvenance, write_pool
from resim.shower.event_record import FinalParticles, join

PROCESSES: Final = ("SoftQCD:nonDiffractive = on", "SoftQCD:singleDiffractive = on", "SoftQCD:doubleDiffractive = on")
"""What Delphes makes its pile-up of: `examples/Pythia8/generatePileUpCMS.cmnd` of Delphes 3.5."""
_LIFETIMES: Final = ("ParticleDecays:limitTau0 = on", "ParticleDecays:tau0Max = 10")
"""Stable above c tau = 10 mm, as in `cards/pythia/` and in Delphes' file."""
_OWN: Final = ("Print:quiet = on", "Random:setSeed = on", "Random:seed = 1")
"""One seed for what `init` tabulates; events have their own."""
_ATTEMPTS: Final = 10
"""Consecutive failures before Pythia is given up, as its own `Main:timesAllowErrors`."""
_EVENTS_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """How to make a pool: `resim pileup`'s options.

    Attributes:
        n_events: events to make.
        seed: the pool's seed.
        e_cm: energy of the proton-proton collisions, GeV.
        card: Pythia settings, such as a tune; None for Pythia's defaults (the Monash tune).
        force: replace an existing output.
        quiet: no progress report.
    """

    n_events: int
    seed: int = 1
    e_cm: float = 13000.0
    card: Path | None = None
    force: bool = False
    quiet: bool = False

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            InputError: an option is out of range.
        """
        if self.n_events < 1:
            raise InputError(f"--n-events {self.n_events}: must be at least 1")
        if not 1 <= self.seed <= PYTHIA_SEED_MAX:
            raise InputError(f"--seed {self.seed}: must be in 1 ... {PYTHIA_SEED_MAX}")
        if not 0 < self.e_cm < float("inf"):
            raise InputError(f"--e-cm {self.e_cm}: must be positive, in GeV")


def make_pool(output: Path, options: PoolOptions) -> None:
    """Make minimum-bias events and write them to a pool; equal options and versions give equal bytes.

    An event depends on its number, the seed and the settings only, so a longer pool begins with a shorter one.

    Raises:
        InputError: the output exists, or Pythia refuses a setting or fails again and again.
    """
    refuse_existing(output, options.force)
    tune = read_cmnd(options.card) if options.card else []
    settings = (f"Beams:eCM = {options.e_cm!r}", *PROCESSES, *_LIFETIMES, *tune)
    pythia = _start(settings)
    provenance = PoolProvenance(options.seed, options.e_cm, settings, identifying_versions())
    write_pool(output, _events(pythia, settings, options), provenance)


def _start(settings: tuple[str, ...]) -> Any:
    pythia = pythia8mc.Pythia("", False)
    with stdout_silenced():
        for line in (*_OWN, *settings):
            if not pythia.readString(line):
                raise InputError(f"Pythia refuses the setting {line!r}; correct or remove it in the Pythia card")
        if not pythia.init():
            raise InputError(f"Pythia cannot be initialized with {list(settings)}; check the card and --e-cm")
    return pythia


def _events(pythia: Any, settings: tuple[str, ...], options: PoolOptions) -> Iterator[npt.NDArray[np.void]]:
    digest = hashlib.sha256("\n".join(settings).encode()).hexdigest()
    final_particles = FinalParticles()
    with ProgressReport("pileup", options.n_events, "events", options.quiet) as progress:
        for start in range(0, options.n_events, _EVENTS_AT_ONCE):
            numbers = range(start, min(start + _EVENTS_AT_ONCE, options.n_events))
            records = []
            for number in numbers:
                _make_event(pythia, SeedKey(options.seed, digest, number, "minimum_bias", "shower"))
                records.append(final_particles(pythia.event))
            particles = join(records)
            flat = np.empty(len(particles.px), PARTICLE)
            for name in PARTICLE.names or ():
                flat[name] = getattr(particles, name)
            yield from np.split(flat, particles.offsets[1:-1])
            progress.advance(len(numbers))


def _make_event(pythia: Any, key: SeedKey) -> None:
    for attempt in range(_ATTEMPTS):
        pythia.rndm.init(pythia_seed(SeedKey(key.run_seed, key.sha256, key.event, key.view, key.stage, attempt)))
        if pythia.next():
            return
    raise InputError(f"minimum-bias event {key.event}: Pythia failed {_ATTEMPTS} times; check the Pythia card")
