"""The one exception that users are meant to see, and what others say in one line."""

from pydantic import ValidationError


class InputError(ValueError):
    r"""Bad input, said in one line: the object, its value, the limit, the remedy.

    The command line prints the message and exits with status 1; it shows a traceback only with `--debug`. Characters
    that would move the cursor of a terminal, or have no glyph, are written as escapes: messages quote input.

    >>> str(InputError("name\x00\x1b[2J: unknown"))
    'name\\x00\\x1b[2J: unknown'
    """

    def __init__(self, message: str = "") -> None:
        super().__init__("".join(map(_visible, message)))


def reason_of(error: Exception) -> str:
    """What a library says of an error, as a part of a line: printable, 150 characters at most.

    Of a pydantic model it is the first value that does not fit, with its place.
    """
    text = str(error).strip().partition("\n")[0] or type(error).__name__
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        given = first["input"]
        shown = "" if given is None or isinstance(given, (dict, list)) else f", not {str(given)[:40]!r}"
        text = f"{place}: {first['msg']}{shown}" if place else first["msg"]
    return "".join(letter if letter.isprintable() else "?" for letter in text[:150])


def _visible(letter: str) -> str:
    return letter if letter.isprintable() else letter.encode("unicode_escape").decode()
