"""Realize the views of hard scatters: run each stage with its own seeds and share what is frozen."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from resim.card.view_plan import GeneratorPlan, ViewPlan
from resim.common.row_counts import LossReason
from resim.common.seeds import SeedKey, Stage, pythia_seed
from resim.common.units import INVISIBLE_PDG_IDS
from resim.hard_scatter.lhe_reading import Beams
from resim.hard_scatter.partons import Parton, outgoing_taus
from resim.hard_scatter.rows import HardScatter, Rows
from resim.particles import Particles
from resim.shower.event_record import FINAL_PARTICLE, Records, join
from resim.shower.generator import Generator, SliceFailed, package_generator, simulated_by_package
from resim.shower.hepmc import ShoweredEvent
from resim.shower.herwig import herwig_for
from resim.shower.pythia import Pythia, pythia_for
from resim.shower.tau import TauDecay

MAX_ATTEMPTS: Final = 5
"""Attempts for an event that the generator gives up, each with its own seeds; after the last one it is lost."""

_INVISIBLE: Final = np.array(sorted(INVISIBLE_PDG_IDS), np.int32)
"""HepMC does not say what is visible, so particles of other generators than Pythia are judged by their PDG ids."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One view of one hard scatter: final particles (None: given up), tau decays, seeds, failed attempts, why."""

    particles: Records | None
    taus: tuple[TauDecay, ...] = ()
    shower_seed: int = 0
    hadronization_seed: int = 0
    retries: int = 0
    complaint: str = ""


@dataclass(frozen=True, slots=True)
class Realization:
    """One view of a batch of hard scatters, before any detector.

    Attributes:
        particles: visible final particles; events that were given up are empty.
        made: bool `(n_events,)`, False where the generator gave the event up.
        taus: decays of the taus of every hard scatter.
        shower_seed, hadronization_seed: uint32 `(n_events,)`, 0 where it gave up.
        retries: number of failed attempts in the batch.
        complaint: what the generator says of the first event that it gave up; empty without one.
    """

    particles: Particles
    made: npt.NDArray[np.bool_]
    taus: tuple[tuple[TauDecay, ...], ...]
    shower_seed: npt.NDArray[np.uint32]
    hadronization_seed: npt.NDArray[np.uint32]
    retries: int
    complaint: str = ""


GIVEN_UP: Final = Outcome(None)


def realize(
    scatters: Sequence[HardScatter], views: Sequence[ViewPlan], beams: Beams, run_seed: int, slha: str = ""
) -> dict[str, Realization]:
    """Make every view of every hard scatter up to its particles.

    Args:
        scatters: hard scatters of one source.
        views: the plan, parents before children; the first one is the root.
        beams: beams of the source.
        run_seed: the run's seed.
        slha: what the header of the source says of particles.

    Returns:
        One realization per view, with the events in the order of `scatters`. Views that froze the hadronization
        have that of the view whose particles they share.
    """
    outcomes: dict[str, list[Outcome]] = {}
    realizations: dict[str, Realization] = {}
    for owner in (view for view in views if view.shower_owner == view.name):
        if owner.generator.name != "pythia8":
            outcomes[owner.name] = list(_realize_slices(scatters, owner, beams, run_seed))
            realizations[owner.name] = _gather(outcomes[owner.name], _INVISIBLE)
            continue
        family = [owner.name, *(view.name for view in views if _rehadronizes(view, owner))]
        pythia, roots = pythia_for(beams, owner.generator.lines, slha), outcomes.get(views[0].name)
        made = [
            _realize_event(_Event(pythia, scatter, run_seed), family, roots[i] if roots else None)
            for i, scatter in enumerate(scatters)
        ]
        outcomes |= {name: [event[name] for event in made] for name in family}
        realizations |= {name: _gather(outcomes[name], pythia.invisible_ids) for name in family}
    return {view.name: realizations[view.particles_owner] for view in views}


def generator_for(beams: Beams, plan: GeneratorPlan) -> Generator:
    """The process's generator other than Pythia: Herwig, or that of an installed package."""
    return herwig_for(beams, plan.lines) if plan.name == "herwig7" else package_generator(beams, plan)


def unseen_products(view: ViewPlan, beams: Beams, slha: str = "") -> frozenset[int]:
    """Absolute PDG ids of particles that leave nothing visible in a view, as its generator says."""
    if view.generator.name != "pythia8":
        return INVISIBLE_PDG_IDS
    return pythia_for(beams, view.generator.lines, slha).unseen_products


def _rehadronizes(view: ViewPlan, owner: ViewPlan) -> bool:
    """Whether a view has its own hadronization of another view's parton level."""
    return view.shower_owner == owner.name and view.particles_owner == view.name != owner.name


@dataclass(frozen=True, slots=True)
class _Event:
    """One hard scatter, and the Pythia that simulates it."""

    pythia: Pythia
    scatter: HardScatter
    run_seed: int

    def shower(self, view: str, taus: Sequence[TauDecay], keep: bool) -> tuple[Outcome, Any]:
        """Run parton and hadron level, together until both succeed; the record is None where they never did.

        Args:
            view: the view that owns both.
            taus: channels in which tau leptons have to decay.
            keep: whether other views hadronize the record anew.
        """
        for attempt in range(MAX_ATTEMPTS):
            seed = self._seed(view, "shower", attempt)
            record = self.pythia.shower(self.scatter.event, seed, keep)
            if record is not None and (outcome := self._hadronize_once(view, record, seed, taus, attempt)):
                return outcome, record
        return self._given_up(), None

    def hadronize(self, view: str, record: Any, shower_seed: int, taus: Sequence[TauDecay]) -> Outcome:
        """Hadronize a parton level anew."""
        for attempt in range(MAX_ATTEMPTS):
            if outcome := self._hadronize_once(view, record, shower_seed, taus, attempt):
                return outcome
        return self._given_up()

    def _given_up(self) -> Outcome:
        return Outcome(None, retries=MAX_ATTEMPTS, complaint=self.pythia.complaints())

    def _hadronize_once(
        self, view: str, record: Any, shower_seed: int, taus: Sequence[TauDecay], attempt: int
    ) -> Outcome | None:
        seed = self._seed(view, "hadronization", attempt)
        particles = self.pythia.hadronize(record, seed, taus)
        if particles is None:
            return None
        return Outcome(particles, self.pythia.tau_decays(), shower_seed, seed, attempt)

    def _seed(self, view: str, stage: Stage, attempt: int) -> int:
        return pythia_seed(SeedKey(self.run_seed, self.scatter.sha256, self.scatter.index, view, stage, attempt))


def _realize_event(event: _Event, family: Sequence[str], root: Outcome | None) -> dict[str, Outcome]:
    """Make the views of one parton level of one hard scatter.

    All of them are finished before Pythia showers anything else: hadronization needs more of the instance than the
    event record.

    Args:
        event: the hard scatter.
        family: the view that owns the parton level, and those that hadronize it anew.
        root: what the root view made of the hard scatter; None if the root is in the family.
    """
    outcomes = dict.fromkeys(family, GIVEN_UP)
    owner, *others = family
    if root is None or has_rows(event.scatter, root.taus):
        outcomes[owner], record = event.shower(owner, root.taus if root else (), keep=bool(others))
        taus = (root or outcomes[owner]).taus
        if record is not None and has_rows(event.scatter, taus):
            for view in others:
                outcomes[view] = event.hadronize(view, record, outcomes[owner].shower_seed, taus)
    return outcomes


def _realize_slices(
    scatters: Sequence[HardScatter], view: ViewPlan, beams: Beams, run_seed: int
) -> Iterator[Outcome]:
    """Make a view with another generator, one run for each slice of events; `scatters` hold whole slices."""
    generator = generator_for(beams, view.generator)
    for number, members in groupby(scatters, key=lambda scatter: scatter.index // view.slice_events):
        yield from _realize_slice(generator, list(members), number * view.slice_events, view, run_seed)


def _realize_slice(
    generator: Generator, scatters: Sequence[HardScatter], first: int, view: ViewPlan, run_seed: int
) -> list[Outcome]:
    hard = [scatter.event for scatter in scatters]
    for attempt in range(MAX_ATTEMPTS):
        seed = pythia_seed(SeedKey(run_seed, scatters[0].sha256, first, view.name, "shower", attempt))
        try:
            if view.generator.name == "herwig7":
                events = generator.simulate(hard, seed)
            else:
                events = simulated_by_package(generator, view.generator.name, hard, seed)
        except SliceFailed:
            if attempt == MAX_ATTEMPTS - 1:
                raise
        else:
            return [_slice_outcome(*made, seed) for made in zip(scatters, events, strict=True)]
    raise AssertionError("every attempt returns or raises")


def _slice_outcome(scatter: HardScatter, event: ShoweredEvent | None, seed: int) -> Outcome:
    if event is None:
        return GIVEN_UP
    taus = [scatter.event.particles[i].id for i in outgoing_taus(scatter.event)]
    decays = (TauDecay(pdg_id, (), products) for pdg_id, products in zip(taus, event.tau_decays, strict=True))
    return Outcome(event.particles, tuple(decays), seed, seed)


def _gather(outcomes: Sequence[Outcome], invisible: npt.NDArray[np.int32]) -> Realization:
    """The outcomes of a batch, without particles whose absolute PDG id is in `invisible`, int32 `(n,)`."""
    nothing = np.empty(0, FINAL_PARTICLE)
    return Realization(
        particles=join([nothing if made.particles is None else made.particles for made in outcomes], invisible),
        made=np.array([outcome.particles is not None for outcome in outcomes], dtype=bool),
        taus=tuple(outcome.taus for outcome in outcomes),
        shower_seed=np.array([outcome.shower_seed for outcome in outcomes], dtype=np.uint32),
        hadronization_seed=np.array([outcome.hadronization_seed for outcome in outcomes], dtype=np.uint32),
        retries=sum(outcome.retries for outcome in outcomes),
        complaint=next((outcome.complaint for outcome in outcomes if outcome.complaint), ""),
    )


def label_of(parton: Parton, taus: Sequence[TauDecay]) -> str | None:
    """The label of a parton's row, None if its decay is not one that the card wants."""
    if isinstance(parton.label, str):
        return parton.label
    known = parton.tau is not None and parton.tau < len(taus)
    return parton.label.get(taus[parton.tau].n_prongs) if known and parton.tau is not None else None


def has_rows(scatter: HardScatter, taus: Sequence[TauDecay]) -> bool:
    """Whether any parton of the hard scatter has a label when the taus decay like this."""
    return any(label_of(parton, taus) is not None for parton in scatter.partons)


def with_labels(rows: Rows, root: Realization) -> Rows:
    """The rows with labels that depend on the root view's decays filled in, and without those that get none."""
    kept, partons, refused = [], [], Counter[str]()
    rivals, scatter_of_rival = list(rows.rivals), rows.scatter_of_rival.tolist()
    for i, (scatter, parton) in enumerate(zip(rows.scatter_of_row, rows.partons, strict=True)):
        label = label_of(parton, root.taus[scatter])
        if label is None:
            refused[LossReason.TAU_DECAY if root.made[scatter] else LossReason.ROOT_NOT_GENERATED] += 1
            rivals.append(parton)
            scatter_of_rival.append(int(scatter))
        else:
            kept.append(i)
            partons.append(replace(parton, label=label))
    of_row = rows.scatter_of_row[np.array(kept, dtype=np.int64)]
    changes = {
        "rejected": dict(Counter(rows.counts.rejected) + refused),
        "rows": len(partons),
        "events_with_rows": len(np.unique(of_row)),
    }
    counts = rows.counts.model_copy(update=changes)
    return Rows(rows.scatters, of_row, partons, rivals, np.array(scatter_of_rival, dtype=np.int64), counts)
