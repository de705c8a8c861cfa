"""What installed packages add, by the names of their entry points.

An entry point `NAME = "package.module:Class"` names a class, whose attribute `section` is the model of its section of
a card. Groups are `jetssl.encoders`, `jetssl.objectives`, `jetssl.readers` and `resim.generators`. Only what is
installed can be named: a card never holds an import path. What we have ourselves goes first.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from pydantic import ValidationError

from resim.common.cards import CardModel
from resim.common.errors import InputError, reason_of

ClassT = TypeVar("ClassT")
SectionT = TypeVar("SectionT", bound=CardModel)


def names(group: str) -> tuple[str, ...]:
    """Names that installed packages add, in alphabetical order; nothing of theirs is imported."""
    return tuple(sorted({point.name for point in entry_points(group=group)}))


def package_of(group: str, name: str) -> tuple[str, str]:
    """Name and version of the package that adds a name.

    Raises:
        InputError: none or several do.
    """
    distribution = _entry_point(group, name).dist
    return (distribution.name, distribution.version) if distribution else (name, "unknown")


def load(group: str, name: str, base: type[ClassT]) -> type[ClassT]:
    """The class that an entry point names.

    Raises:
        InputError: no or several packages add the name, it cannot be imported, or it is no subclass of `base`.
    """
    found = _load(group, name)
    if not (isinstance(found, type) and issubclass(found, base)):
        raise _refusal(group, name, f"{found!r:.60} is no subclass of {base.__module__}.{base.__qualname__}")
    return found


def section_of(group: str, name: str, base: type[SectionT], key: str = "name") -> type[SectionT]:
    """The model of its section of a card.

    Args:
        group: of entry points.
        name: of the entry point, which the section has as the default of its key `key`.
        base: of such models.
        key: under which a card says the name.

    Raises:
        InputError: as `load`, or the class has no such model, of this name and with a default for every key.
    """
    section = getattr(_load(group, name), "section", None)
    if not (isinstance(section, type) and issubclass(section, base)):
        wanted = f"{base.__module__}.{base.__qualname__}"
        raise _refusal(group, name, f"its attribute `section` is no subclass of {wanted}")
    try:
        default = section()
    except ValidationError as error:
        raise _refusal(group, name, f"its section lacks a default ({reason_of(error)})") from error
    if (called := getattr(default, key, None)) != name:
        raise _refusal(group, name, f"its section has the {key} {called!r}")
    return section


@contextmanager
def blamed(group: str, name: str, what: str = "fails") -> Iterator[None]:
    """Whatever is raised in the block, other than an `InputError`, is a fault of the package that adds a name.

    Raises:
        InputError: something was raised; names the package.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # foreign code raises anything
        raise _refusal(group, name, f"{what} ({type(error).__name__}: {reason_of(error)})") from error


def _load(group: str, name: str) -> Any:
    with blamed(group, name, "cannot be imported"):
        return _entry_point(group, name).load()


def _entry_point(group: str, name: str) -> EntryPoint:
    points = entry_points(group=group, name=name)
    found = {point.dist.name if point.dist else "": point for point in points}
    if len(found) != 1:
        packages = " and ".join(sorted(found)) or "no installed package"
        raise InputError(f"{_kind(group)}: {name!r} is added by {packages}, want one; install or uninstall")
    return next(iter(found.values()))


def _refusal(group: str, name: str, what: str) -> InputError:
    package, version = package_of(group, name)
    return InputError(
        f"{_kind(group)}: {name!r} of package {package} {version}: {what}; correct or uninstall the package"
    )


def _kind(group: str) -> str:
    return group.partition(".")[2]
