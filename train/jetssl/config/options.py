"""Options of a command from its section of the evaluation card: names, types, defaults and help are the fields'.

What the command line says goes before what the card of `--card` says, and that before the default.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, TypeVar, get_args, get_origin

import click
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from jetssl.config.evaluation import load_section
from jetssl.config.sections import Labels, Section, label_count
from resim.common.errors import InputError

PATH: Final = click.Path(path_type=Path)
Function = TypeVar("Function", bound=Callable[..., Any])
SectionT = TypeVar("SectionT", bound=Section)


def options_of(section: type[Section]) -> Callable[[Function], Function]:
    """Decorator: `--card`, and an option for each field of a section; the command gets them as keywords."""

    def decorate(command: Function) -> Function:
        for name, field in reversed(section.model_fields.items()):
            command = _option(name, field)(command)
        return _CARD(command)

    return decorate


def section_from(section: type[SectionT], options: Mapping[str, Any]) -> SectionT:
    """The section that the options of a command are.

    Raises:
        InputError: names the first option that is wrong, or says what does not go together.
    """
    try:
        return section(**options)
    except ValidationError as error:
        first = error.errors()[0]
        reason = first["msg"].removeprefix("Value error, ")
        given = "".join(f"{_name(str(part))} {first['input']}: " for part in first["loc"][:1])
        raise InputError(f"{given}{reason}") from error


def _name(field: str) -> str:
    return f"--{field.replace('_', '-')}"


def _read_card(context: click.Context, _: click.Parameter, path: Path | None) -> None:
    """What click takes in place of the defaults."""
    if path is not None:
        context.default_map = load_section(path, str(context.command.name))


_CARD: Final = click.option(
    "--card",
    type=PATH,
    is_eager=True,
    expose_value=False,
    callback=_read_card,
    help="Evaluation card, whose section of this command says what the command line does not.",
)


def _option(name: str, field: FieldInfo) -> Callable[[Function], Function]:
    option = _name(name)
    kind: Any = field.annotation
    multiple = get_origin(kind) is tuple
    if multiple:
        kind = get_args(kind)[0]
    if kind is bool:
        option += f"/--no-{option.removeprefix('--')}"
    return click.option(
        option,
        type=_type(kind, field),
        multiple=multiple,
        default=field.default,
        show_default=bool(field.default),
        callback=_listed if kind is Labels else None,
        help=field.description,
    )


def _type(kind: Any, field: FieldInfo) -> click.ParamType[Any]:
    if get_origin(kind) is Literal:
        return click.Choice(get_args(kind))
    if kind is int:
        low, high = (next((getattr(m, end) for m in field.metadata if hasattr(m, end)), None) for end in ("ge", "le"))
        return click.IntRange(low, high)
    if kind is float:
        low, high = (next((getattr(m, end) for m in field.metadata if hasattr(m, end)), None) for end in ("gt", "lt"))
        return click.FloatRange(low, high, min_open=low is not None, max_open=high is not None)
    return {bool: click.BOOL, Path: PATH}.get(kind, click.STRING)


def _listed(context: click.Context, param: click.Parameter, values: Sequence[Any]) -> tuple[int | str, ...]:  # noqa: ARG001
    """Numbers of labels, one by one or separated by commas."""
    words = [word for value in values for word in str(value).split(",")]
    try:
        return tuple(label_count(word) for word in words)
    except ValueError as error:
        raise InputError(f"{param.opts[0]} {','.join(words)}: {error}") from error
