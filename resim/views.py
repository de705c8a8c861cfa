"""Views: named realizations of every hard scatter, arranged as a tree."""

from dataclasses import dataclass
from typing import Any


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
