"""The tree of views of a card: what each view shares with its parent, and which stages it inherits."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from resim.card.stages import DEFAULT_CARDS, NO_DETECTOR, DetectorSection, DetectorStage, ShowerSection
from resim.common.cards import CardModel

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
ViewName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*(/[0-9]+)?$")]
"""Name of a view, or of a member of a family."""
Freeze = Literal["hard_scatter", "parton_shower", "hadronization"]
_SHARING_SHOWER: Final = ("parton_shower", "hadronization")


class View(CardModel):
    """A view: the parent's name, the stage up to which it shares the parent's state, and what changes after it."""

    parent: ViewName | None = Field(None, alias="from")
    freeze: Freeze | None = None
    repeat: int | None = Field(None, ge=1)
    """independent views like this one, a family: `NAME/0`, `NAME/1`, ...; None: one view, `NAME`"""
    shower: ShowerSection | None = None
    detector: DetectorStage | None = None
    """None: as the parent, or as the card says"""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.parent is None) != (self.freeze is None):
            raise ValueError("`from` and `freeze` go together; a view without both is the root")
        if self.parent is None and self.repeat is not None:
            raise ValueError(
                f"repeat {self.repeat}: the root is one view; repeat a view that has `from` and `freeze`"
            )
        if self.shares_shower and self.shower is not None:
            raise ValueError(f"a view that freezes the {self.freeze} cannot change the `shower`")
        return self

    @property
    def shares_shower(self) -> bool:
        """Whether its parton level is the parent's."""
        return self.freeze in _SHARING_SHOWER


def members(name: str, view: View) -> tuple[str, ...]:
    """Names of the views that a section of the card makes.

    >>> members("redetect", View.model_validate({"from": "nominal", "freeze": "hadronization", "repeat": 2}))
    ('redetect/0', 'redetect/1')
    """
    return (name,) if view.repeat is None else tuple(f"{name}/{i}" for i in range(view.repeat))


def family_of(name: str) -> str:
    """Name of the family of a view: of a member that of the card's section, of any other view its own.

    >>> family_of("redetect/1"), family_of("nominal")
    ('redetect', 'nominal')
    """
    return name.partition("/")[0]


def one_of_each_family(names: Sequence[str]) -> list[str]:
    """Views without the members of a family behind its first: all have the same distributions.

    >>> one_of_each_family(["nominal", "redetect/0", "redetect/1"])
    ['nominal', 'redetect/0']
    """
    families = [family_of(name) for name in names]
    return [name for i, name in enumerate(names) if families.index(families[i]) == i]


class Stages(NamedTuple):
    """The stages of a view, with everything that it inherits."""

    shower: ShowerSection
    detector: DetectorStage


def resolve(views: Mapping[str, View], detector: DetectorStage) -> dict[str, Stages]:
    """The stages of every section of a card, parents before children and otherwise in the order of the card.

    A view has the stages of its parent, changed by its own sections. The root changes Pythia's defaults and the
    detector of the card.

    Raises:
        ValueError: the views are no tree.
    """
    resolved: dict[str, Stages] = {}
    for name in _parents_first(views):
        view = views[name]
        shower, above = resolved[family_of(view.parent)] if view.parent else Stages(ShowerSection(), detector)
        below = above.changed_by(view.detector) if isinstance(above, DetectorSection) else view.detector or above
        resolved[name] = Stages(shower.changed_by(view.shower), below)
    return resolved


def _parents_first(views: Mapping[str, View]) -> list[str]:
    roots = [name for name, view in views.items() if view.parent is None]
    if len(roots) != 1:
        raise ValueError(f"views: want exactly one root (a view without `from`), found {roots}")
    above = {name: _section_above(name, views) for name in views}
    ordered: list[str] = []
    while waiting := [name for name in views if name not in ordered]:
        n_before = len(ordered)
        for name in waiting:
            if above[name] in (None, *ordered):
                ordered.append(name)
        if len(ordered) == n_before:
            raise ValueError(f"views.{waiting[0]}: the tree has a loop through {views[waiting[0]].parent!r}")
    return ordered


def _section_above(name: str, views: Mapping[str, View]) -> str | None:
    """The section that makes the parent of a view; None for the root."""
    parent = views[name].parent
    if parent is None:
        return None
    section = family_of(parent)
    if section not in views:
        raise ValueError(f"views.{name}: parent {parent!r} is none of {list(views)}")
    found = members(section, views[section])
    if parent in found:
        return section
    if section == parent:
        raise ValueError(
            f"views.{name}: parent {parent!r} is a family of {len(found)} views; name one, as {found[0]}"
        )
    raise ValueError(f"views.{name}: parent {parent!r} does not exist, {section!r} makes {found[0]} ... {found[-1]}")


def check(name: str, view: View, own: Stages, parent: Stages | None) -> None:
    """Raise a `ValueError` if the stages of a view cannot be run as the card says."""
    shower = own.shower
    if shower.options and shower.generator in DEFAULT_CARDS:
        raise ValueError(f"views.{name}: {shower.generator} has no options; say it in its card")
    if shower.model == "vincia" and (shower.mu_r_fsr, shower.mu_r_isr) != (1.0, 1.0):
        raise ValueError(
            f"views.{name}: mu_r_fsr and mu_r_isr are those of the simple shower; give Vincia's own factors,"
            " such as Vincia:renormMultFacEmitF, in `settings`"
        )
    if view.freeze == "parton_shower" and shower.generator != "pythia8":
        raise ValueError(
            f"views.{name}: the parton level of {shower.generator} cannot be frozen; freeze hard_scatter"
        )
    if isinstance(own.detector, DetectorSection) and own.detector.card is None:
        raise ValueError(f"views.{name}: its detector has no card; give `detector` one, here or above")
    if view.freeze == "hadronization" and parent and own.detector == parent.detector == NO_DETECTOR:
        raise ValueError(
            f"views.{name}: freezes the hadronization and no detector follows, so it would equal its parent;"
            " give `detector` a card"
        )


def with_files(view: View, shower: ShowerSection, path: Path) -> View:
    """A view with every file found that it names, and the shipped settings where no ancestor names any.

    Args:
        view: the view.
        shower: its shower, with everything that it inherits.
        path: the card that holds it.

    Raises:
        InputError: a file is missing.
    """
    changes: dict[str, Any] = {}
    if isinstance(view.detector, DetectorSection):
        changes["detector"] = view.detector.with_files(path)
    if shower.card is None and shower.generator in DEFAULT_CARDS and not view.shares_shower:
        shipped = ShowerSection(generator=shower.generator, card=DEFAULT_CARDS[shower.generator])
        changes["shower"] = shipped.changed_by(view.shower).with_files(path)
    elif view.shower:
        changes["shower"] = view.shower.with_files(path)
    return view.model_copy(update=changes)
