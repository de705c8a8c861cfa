"""Views: named realizations of every hard scatter, arranged as a tree."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from resim.config import NO_DETECTOR, Detector, GenerationCard
from resim.shower.settings import shower_lines

_SETTINGS: Final = {"pythia8": shower_lines}


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
        detector: the Delphes card of its detector stage, None for particle level.
    """

    name: str
    parent: str | None
    freeze: str | None
    shower_owner: str
    particles_owner: str
    generator: Literal["pythia8", "herwig7"]
    settings: tuple[str, ...]
    detector: Path | None = None

    def record(self) -> ViewRecord:
        """The view as the pair file describes it."""
        settings = {
            "generator": self.generator,
            "lines": list(self.settings),
            "detector": str(self.detector or NO_DETECTOR),
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


def _plan(card: GenerationCard, name: str, parent: ViewPlan | None) -> ViewPlan:
    shower, detector, freeze = card.shower_of(name), card.detector_of(name), card.views[name].freeze
    return ViewPlan(
        name=name,
        parent=parent.name if parent else None,
        freeze=freeze,
        shower_owner=parent.shower_owner if parent and freeze != "hard_scatter" else name,
        particles_owner=parent.particles_owner if parent and freeze == "hadronization" else name,
        generator=shower.generator,
        settings=_SETTINGS[shower.generator](shower),
        detector=detector.card if isinstance(detector, Detector) else None,
    )
