"""Encoders and objectives that installed packages add, by the names of their entry points.

An entry point of the group `jetssl.encoders` or `jetssl.objectives` names a subclass of
`jetssl.models.encoder.Encoder` or `jetssl.methods.base.Method` (`resim.common.plugins`).
"""

from typing import Literal, TypeVar

from jetssl.config.encoders import EncoderSection
from jetssl.config.objectives import ObjectiveSection
from resim.common import plugins

Kind = Literal["encoders", "objectives"]
Section = type[EncoderSection] | type[ObjectiveSection]
ClassT = TypeVar("ClassT")

SECTIONS: dict[Kind, Section] = {"encoders": EncoderSection, "objectives": ObjectiveSection}
"""What the model of a section has to be a subclass of."""


def names(kind: Kind) -> tuple[str, ...]:
    """Names that installed packages add, in alphabetical order; nothing of theirs is imported."""
    return plugins.names(f"jetssl.{kind}")


def package_of(kind: Kind, name: str) -> tuple[str, str]:
    """Name and version of the package that adds a name; raises an `InputError` if none or several do."""
    return plugins.package_of(f"jetssl.{kind}", name)


def load(kind: Kind, name: str, base: type[ClassT]) -> type[ClassT]:
    """The class that an entry point names, see `resim.common.plugins.load`."""
    return plugins.load(f"jetssl.{kind}", name, base)


def section_of(kind: Kind, name: str) -> Section:
    """The model of its section of a card, see `resim.common.plugins.section_of`."""
    return plugins.section_of(f"jetssl.{kind}", name, SECTIONS[kind])
