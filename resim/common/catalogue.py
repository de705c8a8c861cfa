"""Lists of names that a card can use, with their options, as `jetssl encoders` and `resim generators` print them."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from resim.common import plugins
from resim.common.cards import CardModel
from resim.common.errors import InputError


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


def catalogue(group: str, own: Sequence[Choice], base: type[CardModel], key: str = "name") -> list[Choice]:
    """What we have, then what installed packages add; one that is broken is listed with what is wrong.

    Args:
        group: of entry points.
        own: what we have.
        base: of the sections of packages.
        key: under which a card says the name.
    """
    taken = {choice.name for choice in own}
    return [*own, *(_added(group, name, base, key) for name in plugins.names(group) if name not in taken)]


def _added(group: str, name: str, base: type[CardModel], key: str) -> Choice:
    try:
        section = plugins.section_of(group, name, base, key)
        return choice_of(name, " ".join(plugins.package_of(group, name)), section, key)
    except InputError as error:
        return Choice(name=name, package="", doc=str(error))


def choice_of(name: str, package: str, section: type[CardModel], key: str = "name") -> Choice:
    """A name, from the model of its section."""
    defaults = section().model_dump(mode="json")
    options = tuple(
        Option(name=option, default=defaults[option], doc=" ".join((field.description or "").split()))
        for option, field in section.model_fields.items()
        if option != key
    )
    doc = (section.__doc__ or "").strip().partition("\n\n")[0]
    return Choice(name=name, package=package, doc=" ".join(doc.split()), options=options)


def listing(choices: list[Choice]) -> str:
    """Text: a paragraph for each name, an indented line for each option."""
    return "\n\n".join("\n".join([f"{one.name} ({one.package}): {one.doc}", *_lines(one)]) for one in choices)


def _lines(choice: Choice) -> list[str]:
    return [f"  {one.name}: {one.default}{f'  {one.doc}' if one.doc else ''}" for one in choice.options]
