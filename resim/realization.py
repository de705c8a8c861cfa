"""Realize the views of hard scatters: run each stage with its own seeds and share what is frozen."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pylhe

from resim.hard_scatter.reading import Beams
from resim.particles import Particles
from resim.seeds import SeedKey, Stage, pythia_seed
from resim.shower.event_record import FINAL_PARTICLE, Records
from resim.shower.pythia import Pythia, pythia_for
from resim.views import ViewPlan

MAX_ATTEMPTS: Final = 5
"""How often an event that Pythia gave up is tried, each time with other derived seeds, before it counts as lost."""


@dataclass(frozen=True, slots=True)
class HardScatter:
    """One LHE event with its identity."""

    sha256: str
    index: int
    event: pylhe.LHEEvent


@dataclass(frozen=True, slots=True)
class Outcome:
    """One view of one hard scatter: final particles (None: given up), the seeds that made them, failed attempts."""

    particles: Records | None
    shower_seed: int = 0
    hadronization_seed: int = 0
    retries: int = 0


@dataclass(frozen=True, slots=True)
class Realization:
    """One view of a batch of hard scatters.

    Attributes:
        particles: final particles, invisible ones included; events that were given up are empty.
        made: bool `(n_events,)`, False where the generator gave the event up.
        shower_seed, hadronization_seed: uint32 `(n_events,)`, 0 where it gave up.
        retries: number of failed attempts in the batch.
    """

    particles: Particles
    made: npt.NDArray[np.bool_]
    shower_seed: npt.NDArray[np.uint32]
    hadronization_seed: npt.NDArray[np.uint32]
    retries: int


@dataclass(slots=True)
class _Shared:
    """The parton level that views share, while their event is at work."""

    pythia: Pythia
    scatter: HardScatter
    run_seed: int
    record: Any = None
    shower_seed: int = 0
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    def seed(self, view: str, stage: Stage, attempt: int) -> int:
        key = SeedKey(self.run_seed, self.scatter.sha256, self.scatter.index, view, stage, attempt)
        return pythia_seed(key)

    def shower(self, view: str) -> None:
        """Run parton and hadron level of the view that owns the shower, together until both succeed."""
        for attempt in range(MAX_ATTEMPTS):
            self.shower_seed = self.seed(view, "shower", attempt)
            self.record = self.pythia.shower(self.scatter.event, self.shower_seed)
            if self.record is not None and self._hadronize_once(view, attempt):
                return
        self.record = None
        self.outcomes[view] = Outcome(None, retries=MAX_ATTEMPTS)

    def hadronize(self, view: str) -> None:
        """Hadronize the shared parton level anew."""
        for attempt in range(MAX_ATTEMPTS if self.record is not None else 0):
            if self._hadronize_once(view, attempt):
                return
        self.outcomes[view] = Outcome(None, retries=0 if self.record is None else MAX_ATTEMPTS)

    def _hadronize_once(self, view: str, attempt: int) -> bool:
        seed = self.seed(view, "hadronization", attempt)
        particles = self.pythia.hadronize(self.record, seed)
        if particles is not None:
            self.outcomes[view] = Outcome(particles, self.shower_seed, seed, retries=attempt)
        return particles is not None


def realize(
    scatters: Sequence[HardScatter], views: Sequence[ViewPlan], beams: Beams, run_seed: int
) -> dict[str, Realization]:
    """Make every view of every hard scatter.

    Args:
        scatters: hard scatters of one source.
        views: the plan, parents before children.
        beams: beams of the source.
        run_seed: the run's seed.

    Returns:
        One realization per view, with the events in the order of `scatters`.
    """
    outcomes = [realize_event(scatter, views, beams, run_seed) for scatter in scatters]
    batches = {}
    for view in views:
        pythia = pythia_for(beams, view.settings)
        batches[view.name] = _gather([outcome[view.name] for outcome in outcomes], pythia)
    return batches


def realize_event(scatter: HardScatter, views: Sequence[ViewPlan], beams: Beams, run_seed: int) -> dict[str, Outcome]:
    """Make every view of one hard scatter.

    All views of one parton level are finished before Pythia showers anything else: hadronization needs more of the
    instance than the event record.
    """
    outcomes: dict[str, Outcome] = {}
    for owner in (view for view in views if view.shower_owner == view.name):
        shared = _Shared(pythia_for(beams, owner.settings), scatter, run_seed)
        shared.shower(owner.name)
        for view in views:
            if view.shower_owner == owner.name and view is not owner:
                shared.hadronize(view.name)
        outcomes |= shared.outcomes
    return outcomes


def _gather(outcomes: Sequence[Outcome], pythia: Pythia) -> Realization:
    nothing = np.empty(0, FINAL_PARTICLE)
    particles = [nothing if outcome.particles is None else outcome.particles for outcome in outcomes]
    return Realization(
        particles=pythia.batch(particles),
        made=np.array([outcome.particles is not None for outcome in outcomes], dtype=bool),
        shower_seed=np.array([outcome.shower_seed for outcome in outcomes], dtype=np.uint32),
        hadronization_seed=np.array([outcome.hadronization_seed for outcome in outcomes], dtype=np.uint32),
        retries=sum(outcome.retries for outcome in outcomes),
    )
