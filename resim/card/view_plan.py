"""Views: named realizations of every hard scatter, arranged as a tree."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, PositiveInt, ValidationError

from resim.card.calorimeter_card import is_calorimeter_card
from resim.card.delphes_card import content_digest
from resim.card.generation_card import GenerationCard
from resim.card.herwig_settings import checked_lines, herwig_lines
from resim.card.pythia_settings import require_physics, shower_lines
from resim.card.stages import GENERATORS, NO_DETECTOR, DetectorSection, ShowerSection, generator_options
from resim.card.view_tree import Freeze, members
from resim.common import plugins
from resim.common.errors import InputError, reason_of

SLICE_EVENTS: Final = 500
"""LHE events that an external simulator takes in one run, with one seed: fixed, as chunks must not matter.

Herwig needs 8.5 s to start and 17-28 ms for an event (docs/herwig.md).
"""
_OLDER_SLICE_EVENTS: Final = 100
"""The same in files that do not say it."""
_SETTINGS: Final = {"pythia8": shower_lines, "herwig7": herwig_lines}


class _StoredPool(BaseModel):
    mu: float
    pool: str
    sha256: str


class _StoredDetector(BaseModel):
    card: str
    sha256: str
    backend: str = "resim"
    pileup: _StoredPool | None = None


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


@dataclass(frozen=True, slots=True)
class GeneratorPlan:
    """What showers and hadronizes the events of a view.

    Attributes:
        name: `pythia8`, `herwig7`, or that of an installed package.
        lines: its settings, one line each.
    """

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DetectorPlan:
    """The detector stage of a view, and what its files hold, which is what counts.

    Attributes:
        stage: the stage as the card describes it, with its card.
        sha256: hash of that card and of the files that it sources.
        pool_sha256: hash of the pile-up pool, empty without pile-up.
    """

    stage: DetectorSection
    sha256: str
    pool_sha256: str = ""

    @classmethod
    def of(cls, stage: DetectorSection) -> Self:
        """The stage with its files as they are now.

        Raises:
            InputError: one of them cannot be read.
        """
        # Only Delphes cards, read by resim, source files.
        alone = stage.external or is_calorimeter_card(stage.card_path)
        digest = file_digest(stage.card_path) if alone else content_digest(stage.card_path)
        return cls(stage, digest, file_digest(stage.pileup.pool) if stage.pileup else "")

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Self:
        """The stage that a pair file describes."""
        pileup = record.get("pileup")
        section = {"mu": pileup["mu"], "pool": pileup["pool"]} if pileup else None
        stage = {"card": record["card"], "backend": record.get("backend", "resim"), "pileup": section}
        return cls(DetectorSection.model_validate(stage), record["sha256"], pileup["sha256"] if pileup else "")

    @property
    def identity(self) -> tuple[str | float, ...]:
        """What its candidates depend on: content, not places."""
        pileup = (self.stage.pileup.mu, self.pool_sha256) if self.stage.pileup else ()
        return (self.sha256, self.stage.backend, *pileup)

    def record(self) -> dict[str, Any]:
        """The stage as the pair file describes it."""
        described = {"card": str(self.stage.card_path), "sha256": self.sha256, "backend": self.stage.backend}
        if pileup := self.stage.pileup:
            return described | {"pileup": {"mu": pileup.mu, "pool": str(pileup.pool), "sha256": self.pool_sha256}}
        return described


def file_digest(path: Path) -> str:
    """SHA-256 of a file as it lies.

    Raises:
        InputError: it cannot be read.
    """
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
        detector: its detector stage, None for particle level.
        slice_events: events of the file that are made in one run, with one seed; 1 unless a program needs that.
    """

    name: str
    parent: str | None
    freeze: str | None
    shower_owner: str
    particles_owner: str
    generator: GeneratorPlan
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
            "generator": self.generator.name,
            "lines": list(self.generator.lines),
            "detector": self.detector.record() if self.detector else NO_DETECTOR,
        }
        return ViewRecord(self.name, self.parent, self.freeze, settings)


def plan_views(card: GenerationCard) -> tuple[ViewPlan, ...]:
    """The views of a card, all members of families, parents before children and otherwise in the card's order."""
    planned: dict[str, ViewPlan] = {}
    for name, (shower, detector) in card.stages().items():
        view = card.views[name]
        generator = GeneratorPlan(shower.generator, _lines(shower))
        stage = DetectorPlan.of(detector) if isinstance(detector, DetectorSection) else None
        parent = planned.get(view.parent or "")
        planned |= {
            member: _in_the_tree(member, view.freeze, parent, generator, stage) for member in members(name, view)
        }
    return tuple(planned.values())


def _lines(shower: ShowerSection) -> tuple[str, ...]:
    """Settings of a generator, one each; of a package all that its section says, as JSON."""
    if settings := _SETTINGS.get(shower.generator):
        return settings(shower)
    return (generator_options(shower.generator, shower.options).model_dump_json(),)


class _Stored(BaseModel):
    """What the settings of a view in a pair file must hold; older files say less."""

    generator: str
    lines: tuple[str, ...]
    detector: Literal["none"] | _StoredDetector
    slice_events: PositiveInt = _OLDER_SLICE_EVENTS
    parent: str | None
    freeze: Freeze | None


def plan_from_records(records: Sequence[ViewRecord]) -> tuple[ViewPlan, ...]:
    """The views of a pair file as the simulation needs them to make its rows again.

    Raises:
        InputError: settings that are damaged, or a setting that a card may not make, either: the file comes from
            somewhere else.
    """
    planned: dict[str, ViewPlan] = {}
    for record in records:
        place = f"settings of view {record.name}"
        try:
            stored = _Stored.model_validate(record.settings | {"parent": record.parent, "freeze": record.freeze})
            stage = DetectorPlan.from_record(record.settings["detector"]) if stored.detector != NO_DETECTOR else None
        except ValidationError as error:
            raise InputError(f"{place}: damaged ({reason_of(error)}); generate the file again") from error
        if stored.parent is not None and stored.parent not in planned:
            raise InputError(f"{place}: its parent {stored.parent!r} is no view before it; generate the file again")
        generator = GeneratorPlan(stored.generator, stored.lines)
        _require_physics(generator, Path(place))
        view = _in_the_tree(record.name, record.freeze, planned.get(record.parent or ""), generator, stage)
        sliced = _needs_slices(generator, stage)
        planned[record.name] = replace(view, slice_events=stored.slice_events) if sliced else view
    return tuple(planned.values())


def _require_physics(generator: GeneratorPlan, place: Path) -> None:
    if generator.name == "herwig7":
        for _ in checked_lines("\n".join(generator.lines), place):
            pass
        return
    if generator.name != "pythia8":
        if generator.name not in plugins.names(GENERATORS):
            return  # nothing can run it; who would make the rows again is told so
        try:
            generator_options(generator.name, json.loads("".join(generator.lines)))
        except (ValidationError, ValueError) as error:
            raise InputError(f"{place}: damaged ({reason_of(error)}); generate the file again") from error
        return
    for number, line in enumerate(generator.lines, 1):
        require_physics(line, place, number)


def _in_the_tree(
    name: str, freeze: str | None, parent: ViewPlan | None, generator: GeneratorPlan, detector: DetectorPlan | None
) -> ViewPlan:
    """A view below its parent, with what it shares of the parent's state."""
    return ViewPlan(
        name=name,
        parent=parent.name if parent else None,
        freeze=freeze,
        shower_owner=parent.shower_owner if parent and freeze != "hard_scatter" else name,
        particles_owner=parent.particles_owner if parent and freeze == "hadronization" else name,
        generator=generator,
        detector=detector,
        slice_events=SLICE_EVENTS if _needs_slices(generator, detector) else 1,
    )


def _needs_slices(generator: GeneratorPlan, detector: DetectorPlan | None) -> bool:
    """Whether a program takes part that makes a slice of the file's events in one run, with one seed."""
    return generator.name != "pythia8" or (detector is not None and detector.stage.external)
