"""Encoders and objectives that installed packages add, by the names of their entry points.

An entry point `NAME = "package.module:Class"` of the group `jetssl.encoders` or `jetssl.objectives` names a subclass
of `jetssl.models.encoder.Encoder` or `jetssl.methods.base.Method`, whose attribute `section` is the model of its
section of the card. Only what is installed can be named: a card never holds an import path. What jetssl itself has
goes first.
"""

from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from jetssl.config.encoders import EncoderSection
from jetssl.config.objectives import ObjectiveSection
from resim.common.errors import InputError, reason_of

Kind = Literal["encoders", "objectives"]
Section = type[EncoderSection] | type[ObjectiveSection]
ClassT = TypeVar("ClassT")


def names(kind: Kind) -> tuple[str, ...]:
    """Names that installed packages add, in alphabetical order; nothing of theirs is imported."""
    return tuple(sorted({point.name for point in entry_points(group=f"jetssl.{kind}")}))


def package_of(kind: Kind, name: str) -> tuple[str, str]:
    """Name and version of the package that adds a name.

    Raises:
        InputError: none or several do.
    """
    distribution = _entry_point(kind, name).dist
    return (distribution.name, distribution.version) if distribution else (name, "unknown")


def load(kind: Kind, name: str, base: type[ClassT]) -> type[ClassT]:
    """The class that an entry point names.

    Raises:
        InputError: no or several packages add the name, it cannot be imported, or it is no subclass of `base`.
    """
    found = _load(kind, name)
    if not (isinstance(found, type) and issubclass(found, base)):
        raise _refusal(kind, name, f"{found!r:.60} is no subclass of {base.__module__}.{base.__qualname__}")
    return found


def section_of(kind: Kind, name: str) -> Section:
    """The model of its section of a card.

    Raises:
        InputError: as `load`, or the class has no such model, of this name and with a default for every key.
    """
    section, base = getattr(_load(kind, name), "section", None), _SECTIONS[kind]
    if not (isinstance(section, type) and issubclass(section, base)):
        raise _refusal(kind, name, f"its attribute `section` is no subclass of {base.__module__}.{base.__qualname__}")
    try:
        default = section()
    except ValidationError as error:
        raise _refusal(kind, name, f"its section lacks a default ({reason_of(error)})") from error
    if (called := getattr(default, "name", None)) != name:
        raise _refusal(kind, name, f"its section has the name {called!r}")
    return section


_SECTIONS: dict[Kind, Section] = {"encoders": EncoderSection, "objectives": ObjectiveSection}


def _load(kind: Kind, name: str) -> Any:
    try:
        return _entry_point(kind, name).load()
    except InputError:
        raise
    except Exception as error:  # foreign code raises anything
        raise _refusal(kind, name, f"cannot be imported ({type(error).__name__}: {reason_of(error)})") from error


def _entry_point(kind: Kind, name: str) -> EntryPoint:
    points = entry_points(group=f"jetssl.{kind}", name=name)
    found = {point.dist.name if point.dist else "": point for point in points}
    if len(found) != 1:
        packages = " and ".join(sorted(found)) or "no installed package"
        raise InputError(f"{kind}: {name!r} is added by {packages}, want one; install or uninstall")
    return next(iter(found.values()))


def _refusal(kind: Kind, name: str, what: str) -> InputError:
    package, version = package_of(kind, name)
    return InputError(f"{kind}: {name!r} of package {package} {version}: {what}; correct or uninstall the package")
