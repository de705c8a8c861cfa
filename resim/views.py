"""Views: named realizations of every hard scatter, arranged as a tree."""

from dataclasses import dataclass
from typing import Any

from resim.config import GenerationCard
from resim.shower.settings import shower_lines


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
        settings: Pythia settings, one `readString` each.
    """

    name: str
    parent: str | None
    freeze: str | None
    shower_owner: str
    settings: tuple[str, ...]

    def record(self) -> ViewRecord:
        """The view as the pair file describes it."""
        return ViewRecord(
            self.name, self.parent, self.freeze, {"generator": "pythia8", "pythia": list(self.settings)}
        )


def plan_views(card: GenerationCard) -> tuple[ViewPlan, ...]:
    """The views of a card, parents before children and otherwise in the order of the card."""
    planned: dict[str, ViewPlan] = {}
    pending = dict(card.views)
    while pending:
        for name, view in list(pending.items()):
            if view.parent is None or view.parent in planned:
                shared = view.parent if view.freeze == "parton_shower" else None
                owner = planned[shared].shower_owner if shared else name
                settings = shower_lines(card.shower_of(name))
                planned[name] = ViewPlan(name, view.parent, view.freeze, owner, settings)
                del pending[name]
    return tuple(planned.values())
