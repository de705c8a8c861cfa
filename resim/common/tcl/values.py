"""Values of Tcl: text, and lists that become text only when somebody asks for it (Tcl manual, page lappend)."""

import re
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias, Union

from resim.common.limits import TCL_DEPTH, TCL_TEXT

Value: TypeAlias = Union[str, "TclList"]
"""What a variable holds."""


_SPACE: Final = " \t\r\n\f\v"
_PLAIN_ELEMENT: Final = re.compile(r"""[^\s{}\[\]$;"\\#][^\s{}\[\]$;"\\]*\Z""")
_TO_ESCAPE: Final = re.compile(r"""[\s{}\[\]$;"\\#]""")
_ESCAPED: Final = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\f": "\\f", "\v": "\\v"}
_ESCAPES: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPE: Final = re.compile(
    r"\\(?:(?P<line>\n[ \t]*)|x(?P<hexadecimal>[0-9a-fA-F]{1,2})|u(?P<unicode>[0-9a-fA-F]{1,4})"
    r"|(?P<octal>[0-7]{1,3})|(?P<letter>.))",
    re.DOTALL,
)
_BRACES: Final = re.compile(r"\\.|[{}]", re.DOTALL)
_BARE_WORD: Final = re.compile(r"[^\s\\]+")


class TclError(Exception):
    """A card is wrong Tcl, or goes beyond a limit.

    Attributes:
        line: line of its file where the command stands, None until it is known.
        file: name of the file that the card sources, None for the card itself.
    """

    def __init__(self, message: str, line: int | None = None) -> None:
        """Text in the words of Tcl where Tcl has a message for it."""
        super().__init__(message)
        self.line = line
        self.file: str | None = None


class TclList:
    """A list as its elements. A variable that appends to a list with a second holder copies it first.

    Attributes:
        items: the elements.
        shared: True once there may be a second holder.
    """

    __slots__ = ("items", "shared")

    def __init__(self, items: Iterable[Value]) -> None:
        """A new list with one holder."""
        self.items: list[Value] = list(items)
        self.shared = False


def items_of(value: Value) -> Sequence[Value]:
    """Elements of a value that is a list.

    Raises:
        TclError: the text is not a list.

    >>> list(items_of("a {b c} d"))
    ['a', 'b c', 'd']
    """
    return value.items if isinstance(value, TclList) else split_list(value)


def text_of(value: Value, depth: int = 0) -> str:
    """A value as text, so that Tcl would read the same elements from it.

    Raises:
        TclError: the text is longer than `TCL_TEXT`, or lists are nested deeper than `TCL_DEPTH`.

    >>> text_of(TclList(["a", "b c", "", TclList(["1", "2"])]))
    'a {b c} {} {1 2}'
    """
    if isinstance(value, str):
        return value
    if depth > TCL_DEPTH:
        raise TclError(f"lists are nested deeper than {TCL_DEPTH}")
    parts, length = [], 0
    for item in value.items:
        part = _quoted(text_of(item, depth + 1))
        length += len(part) + 1
        if length > TCL_TEXT:
            raise TclError(f"a value has more than {TCL_TEXT} characters")
        parts.append(part)
    return " ".join(parts)


def _quoted(text: str) -> str:
    """An element as it stands in a list."""
    if not text:
        return "{}"
    if _PLAIN_ELEMENT.match(text):
        return text
    if _is_balanced(text):
        return "{" + text + "}"
    return _TO_ESCAPE.sub(lambda found: _ESCAPED.get(found[0], "\\" + found[0]), text)


def _is_balanced(text: str) -> bool:
    """Whether braces around the text keep it as it is."""
    depth, escaped = 0, False
    for i, letter in enumerate(text):
        if escaped:
            escaped = False
            if letter == "\n":
                return False
        elif letter == "\\":
            escaped = True
            if i == len(text) - 1:
                return False
        elif letter == "{":
            depth += 1
        elif letter == "}":
            depth -= 1
            if depth < 0:
                return False
    return depth == 0


def split_list(text: str) -> list[str]:
    """Elements of a list that is written as text.

    Raises:
        TclError: a brace or quote is not closed, or something follows it without a blank.
    """
    found: list[str] = []
    at = 0
    while True:
        while at < len(text) and text[at] in _SPACE:
            at += 1
        if at >= len(text):
            return found
        element, at = _element(text, at)
        found.append(element)


def _element(text: str, at: int) -> tuple[str, int]:
    """The element that begins at a position, and where it ends."""
    if text[at] == "{":
        end = closing_brace(text, at)
        if end < 0:
            raise TclError("unmatched open brace in list")
        return _closed(text[at + 1 : end], text, end + 1, "braces")
    if text[at] == '"':
        end = at + 1
        while end < len(text) and text[end] != '"':
            end = escape_at(text, end)[1] if text[end] == "\\" else end + 1
        if end >= len(text):
            raise TclError("unmatched open quote in list")
        return _closed(unescape(text[at + 1 : end]), text, end + 1, "quotes")
    start = at
    while at < len(text) and text[at] not in _SPACE:
        bare = _BARE_WORD.match(text, at)
        at = bare.end() if bare else escape_at(text, at)[1]
    return unescape(text[start:at]), at


def _closed(element: str, text: str, at: int, what: str) -> tuple[str, int]:
    if at < len(text) and text[at] not in _SPACE:
        raise TclError(f'list element in {what} followed by "{text[at : at + 10]}" instead of space')
    return element, at


def closing_brace(text: str, start: int) -> int:
    """Position of the brace that closes the one at `start`; -1 if there is none."""
    depth = 0
    for found in _BRACES.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        if depth == 0:
            return found.start()
    return -1


def escape_at(text: str, at: int) -> tuple[str, int]:
    """The character that the backslash sequence at a position stands for, and where the sequence ends."""
    found = _ESCAPE.match(text, at)
    if found is None:  # a backslash at the very end
        return "\\", at + 1
    if found["line"] is not None:
        return " ", found.end()
    code = found["hexadecimal"] or found["unicode"] or found["octal"]
    if code:
        number = int(code, 8 if found["octal"] else 16)
        return chr(min(number, 0x10FFFF)), found.end()
    letter = found["letter"]
    return _ESCAPES.get(letter, letter), found.end()


def unescape(text: str) -> str:
    """The text with every backslash sequence replaced by its character."""
    if "\\" not in text:
        return text
    parts, at = [], 0
    while at < len(text):
        following = text.find("\\", at)
        if following < 0:
            break
        letter, end = escape_at(text, following)
        parts += [text[at:following], letter]
        at = end
    return "".join(parts) + text[at:]
