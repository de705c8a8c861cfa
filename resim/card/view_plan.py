"""Views: named realizations of every hard scatter, arranged as a tree."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, Self

from resim.card import generation_card as config
from resim.card.delphes_card import content_digest
from resim.card.generation_card import NO_DETECTOR, GenerationCard
from resim.card.herwig_settings import herwig_lines
from resim.card.pythia_settings import shower_lines
from resim.common.errors import InputError

SLICE_EVENTS: Final = 500
"""LHE events that an external simulator takes in one run, with one seed: fixed, as chunks must not matter.

Herwig needs 8.5 s to start and 17-28 ms for an event (docs/herwig.md).
"""
_OLDER_SLICE_EVENTS: Final = 100
"""The same in files that do not say it."""
_SETTINGS: Final = {"pythia8": shower_lines, "herwig7": herwig_lines}


@dataclass(frozen=True, slots=True)
class ViewRecord:
    """A view as a pair file describes it.

    Attributes:
        name: the view's name.
        parent: name of the view whose state it shares, None for the root.
        freeze: stage up to which it shares that state, None for the root.
        settings: the resolved settings of its stages.
    """

    name: str
    parent: str | None
    freeze: str | None
    settings: dict[str, Any]


class Generator(NamedTuple):
    """A generator and its settings, one line each."""

    name: str
    settings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PileUpPlan:
    """The pile-up of a view.

    Attributes:
        mu: mean number of collisions.
        pool: minimum-bias events.
        sha256: hash of that file, which is what counts.
    """

    mu: float
    pool: Path
    sha256: str

    @classmethod
    def of(cls, pileup: config.PileUp) -> Self:
        """The pile-up with the pool as it is now."""
        return cls(pileup.mu, pileup.pool, _sha256(pileup.pool))

    def record(self) -> dict[str, Any]:
        """The pile-up as the pair file describes it."""
        return {"mu": self.mu, "pool": str(self.pool), "sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class DetectorPlan:
    """The detector stage of a view.

    Attributes:
        card: Delphes card.
        sha256: hash of its content and of the files that it sources, which is what counts.
        pileup: what is mixed into the events, None for cards without pile-up.
        backend: what runs it: `resim`, or real Delphes, `delphes`.
    """

    card: Path
    sha256: str
    pileup: PileUpPlan | None = None
    backend: Literal["resim", "delphes"] = "resim"

    @classmethod
    def of(cls, stage: config.Detector) -> Self:
        """The detector with its files as they are now.

        Raises:
            InputError: one of them cannot be read.
            ValueError: a stage without a card, which `GenerationCard` does not let through.
        """
        if stage.card is None:
            raise ValueError(f"{stage}: has no card")
        pileup = PileUpPlan.of(stage.pileup) if stage.pileup else None
        digest = (
            content_digest(stage.card) if stage.backend == "resim" else _sha256(stage.card)
        )  # Delphes: no sources
        return cls(stage.card, digest, pileup, stage.backend)

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Self:
        """The stage that a pair file describes."""
        pileup = record.get("pileup")
        places = PileUpPlan(pileup["mu"], Path(pileup["pool"]), pileup["sha256"]) if pileup else None
        return cls(Path(record["card"]), record["sha256"], places, record.get("backend", "resim"))

    @property
    def stage(self) -> config.Detector:
        """The stage as a generation card describes it."""
        pileup = config.PileUp(mu=self.pileup.mu, pool=self.pileup.pool) if self.pileup else None
        return config.Detector(card=self.card, pileup=pileup, backend=self.backend)

    @property
    def identity(self) -> tuple[str | float, ...]:
        """What its candidates depend on: content, not places."""
        pileup = (self.pileup.mu, self.pileup.sha256) if self.pileup else ()
        return (self.sha256, self.backend, *pileup)

    def record(self) -> dict[str, Any]:
        """The stage as the pair file describes it."""
        pileup = {"pileup": self.pileup.record()} if self.pileup else {}
        return {"card": str(self.card), "sha256": self.sha256, "backend": self.backend, **pileup}


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); correct the path, or restore the file"
        ) from error


@dataclass(frozen=True, slots=True)
class ViewPlan:
    """A view as the simulation needs it.

    Attributes:
        name: the view's name.
        parent: name of its parent, None for the root.
        freeze: stage up to which it shares the parent's state, None for the root.
        shower_owner: the view whose parton level it has: itself, or the ancestor that it froze.
        particles_owner: the view whose particles it has: itself, or the ancestor that it froze.
        generator: what showers and hadronizes it.
        settings: the generator's settings, one line each.
        detector: its detector stage, None for particle level.
        slice_events: events of the file that are made in one run, with one seed; 1 unless a program needs that.
    """

    name: str
    parent: str | None
    freeze: str | None
    shower_owner: str
    particles_owner: str
    generator: str
    settings: tuple[str, ...]
    detector: DetectorPlan | None = None
    slice_events: int = 1

    @property
    def place(self) -> tuple[str, str | None, str | None]:
        """Name, parent, and what is frozen: the view's place in the tree."""
        return self.name, self.parent, self.freeze

    def record(self) -> ViewRecord:
        """The view as the pair file describes it."""
        slices = {"slice_events": self.slice_events} if self.slice_events > 1 else {}
        settings = slices | {
            "generator": self.generator,
            "lines": list(self.settings),
            "detector": self.detector.record() if self.detector else NO_DETECTOR,
        }
        return ViewRecord(self.name, self.parent, self.freeze, settings)


def plan_views(card: GenerationCard) -> tuple[ViewPlan, ...]:
    """The views of a card, parents before children and otherwise in the order of the card."""
    planned: dict[str, ViewPlan] = {}
    pending = dict(card.views)
    while pending:
        for name, view in list(pending.items()):
            if view.parent is None or view.parent in planned:
                planned[name] = _plan(card, name, planned.get(view.parent or ""))
                del pending[name]
    return tuple(planned.values())


def plan_from_records(records: Sequence[ViewRecord]) -> tuple[ViewPlan, ...]:
    """The views of a pair file as the simulation needs them to make its rows again."""
    planned: dict[str, ViewPlan] = {}
    for record in records:
        detector = record.settings["detector"]
        shower = Generator(record.settings["generator"], tuple(record.settings["lines"]))
        stages = (shower, None if detector == NO_DETECTOR else DetectorPlan.from_record(detector))
        view = _place(record.name, record.freeze, planned.get(record.parent or ""), *stages)
        length = record.settings.get("slice_events", _OLDER_SLICE_EVENTS)
        planned[record.name] = replace(view, slice_events=length) if _needs_slices(*stages) else view
    return tuple(planned.values())


def _plan(card: GenerationCard, name: str, parent: ViewPlan | None) -> ViewPlan:
    shower, detector = card.shower_of(name), card.detector_of(name)
    generator = Generator(shower.generator, _SETTINGS[shower.generator](shower))
    stage = DetectorPlan.of(detector) if isinstance(detector, config.Detector) else None
    return _place(name, card.views[name].freeze, parent, generator, stage)


def _place(
    name: str, freeze: str | None, parent: ViewPlan | None, generator: Generator, detector: DetectorPlan | None
) -> ViewPlan:
    """A view in its place in the tree."""
    return ViewPlan(
        name=name,
        parent=parent.name if parent else None,
        freeze=freeze,
        shower_owner=parent.shower_owner if parent and freeze != "hard_scatter" else name,
        particles_owner=parent.particles_owner if parent and freeze == "hadronization" else name,
        generator=generator.name,
        settings=generator.settings,
        detector=detector,
        slice_events=SLICE_EVENTS if _needs_slices(generator, detector) else 1,
    )


def _needs_slices(generator: Generator, detector: DetectorPlan | None) -> bool:
    """Whether a program takes part that makes a slice of the file's events in one run, with one seed."""
    return generator.name != "pythia8" or (detector is not None and detector.backend == "delphes")
