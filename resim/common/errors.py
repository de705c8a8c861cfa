"""The one exception that users are meant to see."""


class InputError(ValueError):
    r"""Bad input, said in one line: the object, its value, the limit, the remedy.

    The command line prints the message and exits with status 1; it shows a traceback only with `--debug`. Characters
    that would move the cursor of a terminal, or have no glyph, are written as escapes: messages quote input.

    >>> str(InputError("name\x00\x1b[2J: unknown"))
    'name\\x00\\x1b[2J: unknown'
    """

    def __init__(self, message: str = "") -> None:
        super().__init__("".join(map(_visible, message)))


def _visible(letter: str) -> str:
    return letter if letter.isprintable() else letter.encode("unicode_escape").decode()
