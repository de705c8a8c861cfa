"""What `jetssl encoders` and `jetssl objectives` list: names that a card can use, with their options."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from jetssl.config import plugins
from jetssl.config.card import ENCODER_CARDS, OBJECTIVE_CARDS
from jetssl.config.plugins import Kind, Section
from resim.common.errors import InputError

_BUILT_IN: Final[Mapping[Kind, Mapping[str, Section]]] = {"encoders": ENCODER_CARDS, "objectives": OBJECTIVE_CARDS}


class Option(BaseModel):
    """A key of a section."""

    model_config = ConfigDict(frozen=True)

    name: str
    default: Any
    doc: str


class Choice(BaseModel):
    """A name that a card can use."""

    model_config = ConfigDict(frozen=True)

    name: str
    package: str
    """that has it"""
    doc: str
    """what it is, one line; of one that cannot be used, why not"""
    options: tuple[Option, ...] = ()


def catalogue(kind: Kind) -> list[Choice]:
    """What jetssl has, then what installed packages add; one that is broken is listed with what is wrong."""
    own = _BUILT_IN[kind]
    choices = [_choice(name, "resim-jets", section) for name, section in own.items()]
    return choices + [_added(kind, name) for name in plugins.names(kind) if name not in own]


def _added(kind: Kind, name: str) -> Choice:
    try:
        return _choice(name, " ".join(plugins.package_of(kind, name)), plugins.section_of(kind, name))
    except InputError as error:
        return Choice(name=name, package="", doc=str(error))


def _choice(name: str, package: str, section: Section) -> Choice:
    defaults = section().model_dump(mode="json")
    options = tuple(
        Option(name=key, default=defaults[key], doc=" ".join((field.description or "").split()))
        for key, field in section.model_fields.items()
        if key != "name"
    )
    doc = (section.__doc__ or "").strip().partition("\n\n")[0]
    return Choice(name=name, package=package, doc=" ".join(doc.split()), options=options)


def listing(choices: list[Choice]) -> str:
    """Text: a paragraph for each name, an indented line for each option."""
    return "\n\n".join("\n".join([f"{one.name} ({one.package}): {one.doc}", *_lines(one)]) for one in choices)


def _lines(choice: Choice) -> list[str]:
    return [f"  {one.name}: {one.default}{f'  {one.doc}' if one.doc else ''}" for one in choice.options]
