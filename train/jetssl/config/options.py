"""Options of a command from its section of the evaluation card: names, types, defaults and help are the fields'.

What the command line says goes before what the card of `--card` says, and that before the default.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal, TypeVar, get_args, get_origin

import click
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from jetssl.config.evaluation import Section, load_section
from resim.common.errors import InputError

PATH: Final = click.Path(path_type=Path)
Function = TypeVar("Function", bound=Callable[..., Any])


def options_of(section: type[Section]) -> Callable[[Function], Function]:
    """Decorator: `--card`, and an option for each field of a section; the command gets them as keywords."""

    def decorate(command: Function) -> Function:
        for name, field in reversed(section.model_fields.items()):
            command = _option(name, field)(command)
        return _CARD(command)

    return decorate


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
    option, kind = f"--{name.replace('_', '-')}", field.annotation
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
        help=field.description,
    )


def _type(kind: Any, field: FieldInfo) -> click.ParamType[Any]:
    if get_origin(kind) is Literal:
        return click.Choice(get_args(kind))
    if kind is int:
        low, high = (next((getattr(m, end) for m in field.metadata if hasattr(m, end)), None) for end in ("ge", "le"))
        return click.IntRange(low, high)
    return {bool: click.BOOL, str: click.STRING, Path: PATH}.get(kind) or _Checked(kind)


class _Checked(click.ParamType[Any]):
    """A word that pydantic checks."""

    name = "text"

    def __init__(self, kind: Any) -> None:
        self.adapter = TypeAdapter[Any](kind)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ARG002
        """The value.

        Raises:
            InputError: it is none.
        """
        try:
            return self.adapter.validate_python(value)
        except ValidationError as error:
            option = param.opts[0] if param else "value"
            reason = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise InputError(f"{option} {value}: {reason}") from error
