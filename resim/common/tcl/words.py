"""The words of Tcl: a script as commands, a word as text, variables and scripts (Tcl manual, page Tcl)."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from resim.common.limits import TCL_DEPTH
from resim.common.tcl.values import TclError, closing_brace, escape_at

_BLANK: Final = " \t\r\f\v"


class Braced(str):
    """Text between braces, and the line where it begins: a script that is run later knows its lines."""

    __slots__ = ("line",)
    line: int


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a word: literal text, a variable (`index`: pieces of an array index), or a script in brackets."""

    kind: str
    text: str
    index: tuple["Part", ...] | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Word:
    """A word: text that is taken as it stands, or parts to substitute; `expand` for `{*}`."""

    literal: str | None
    parts: tuple[Part, ...] = ()
    expand: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a script: the line where it begins, from 1, and its words."""

    line: int
    words: tuple[Word, ...]


@lru_cache(maxsize=1000)
def parse_script(text: str, line: int = 1) -> tuple[Command, ...]:
    """The commands of a script whose first line has this number.

    Raises:
        TclError: a brace, a quote or a bracket is not closed.
    """
    return _Scanner(text, line).script()


@lru_cache(maxsize=1000)
def parse_text(text: str) -> tuple[Part, ...]:
    """The parts of a text in which variables, brackets and backslashes are substituted."""
    return _Scanner(text, 1).parts(stop="")


def parse_variable(text: str, start: int) -> tuple[Part, int]:
    """The variable or bracket that begins at `text[start]`, and where it ends."""
    scanner = _Scanner(text, 1)
    scanner.at = start
    part = scanner.bracket() if text[start] == "[" else scanner.variable()
    return part, scanner.at


class _Scanner:
    """Position in a text of Tcl."""

    def __init__(self, text: str, line: int) -> None:
        self.text, self.at, self.first = text, 0, line
        self._counted, self._lines = 0, 0

    @property
    def line(self) -> int:
        """Line of the present position; counts forward from where it counted last."""
        if self.at < self._counted:
            self._counted = self._lines = 0
        self._lines += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        return self.first + self._lines

    def peek(self, length: int = 1) -> str:
        return self.text[self.at : self.at + length]

    def script(self) -> tuple[Command, ...]:
        commands = []
        while self._to_next_command():
            line = self.line
            try:
                commands.append(Command(line, tuple(self._words())))
            except TclError as error:
                error.line = error.line or line
                raise
        return tuple(commands)

    def _to_next_command(self) -> bool:
        """Pass over blanks and comments; False at the end of the text."""
        while self.at < len(self.text):
            if self.peek() in _BLANK + "\n;":
                self.at += 1
            elif self.peek(2) == "\\\n":
                self.at += 2
            elif self.peek() == "#":
                while self.at < len(self.text) and self.peek() != "\n":
                    self.at += 2 if self.peek() == "\\" else 1
            else:
                return True
        return False

    def _words(self) -> Iterable[Word]:
        while True:
            self._blanks()
            if self.at >= len(self.text) or self.peek() in "\n;":
                return
            yield self._word()

    def _blanks(self) -> None:
        while self.at < len(self.text) and (self.peek() in _BLANK or self.peek(2) == "\\\n"):
            self.at += 2 if self.peek() == "\\" else 1

    def _word(self) -> Word:
        expand = self.peek(3) == "{*}" and self.peek(4)[3:] not in {"", "\n", ";", *_BLANK}
        if expand:
            self.at += 3
        if self.peek() == "{":
            word = Word(self.braces(), expand=expand)
            self._after("close-brace")
            return word
        if self.peek() == '"':
            self.at += 1
            parts = self.parts(stop='"')
            self.at += 1
            self._after("close-quote")
        else:
            parts = self.parts(stop=_BLANK + "\n;")
        if all(part.kind == "text" for part in parts):
            return Word("".join(part.text for part in parts), expand=expand)
        return Word(None, parts, expand)

    def _after(self, what: str) -> None:
        if self.at < len(self.text) and self.peek() not in _BLANK + "\n;" and self.peek(2) != "\\\n":
            raise TclError(f"extra characters after {what}")

    def braces(self) -> Braced:
        """Text between braces; a backslash before the end of a line becomes a blank, nothing else is substituted."""
        end = closing_brace(self.text, self.at)
        if end < 0:
            raise TclError("missing close-brace")
        found = Braced(join_lines(self.text[self.at + 1 : end]))
        found.line = self.line
        self.at = end + 1
        return found

    def parts(self, stop: str) -> tuple[Part, ...]:
        """Parts up to one of the characters of `stop`, or up to the end; only a quote must be closed."""
        parts: list[Part] = []
        plain: list[str] = []
        while self.at < len(self.text) and self.peek() not in (stop or "\0"):
            if stop != '"' and stop and self.peek(2) == "\\\n":
                break
            if self.peek() == "\\":
                plain.append(self.escape())
            elif self.peek() == "[" or (self.peek() == "$" and self._is_variable()):
                part = self.bracket() if self.peek() == "[" else self.variable()
                parts += [Part("text", "".join(plain))] * bool(plain) + [part]
                plain = []
            else:
                plain.append(self.peek())
                self.at += 1
        if stop == '"' and self.at >= len(self.text):
            raise TclError('missing "')
        return (*parts, *[Part("text", "".join(plain))] * bool(plain))

    def _is_variable(self) -> bool:
        following = self.text[self.at + 1 : self.at + 3]
        return bool(following) and (following[0].isalnum() or following[0] in "_{" or following == "::")

    def variable(self) -> Part:
        self.at += 1
        if self.peek() == "{":
            end = self.text.find("}", self.at)
            if end < 0:
                raise TclError("missing close-brace for variable name")
            name, self.at = self.text[self.at + 1 : end], end + 1
            return Part("variable", name)
        start = self.at
        while self.at < len(self.text) and (self.peek().isalnum() or self.peek() == "_" or self.peek(2) == "::"):
            self.at += 2 if self.peek() == ":" else 1
        name = self.text[start : self.at]
        if self.peek() != "(":
            return Part("variable", name)
        self.at += 1
        index = self.parts(stop=")")
        if self.at >= len(self.text):
            raise TclError("missing )")
        self.at += 1
        return Part("variable", name, index)

    def bracket(self) -> Part:
        """A script in brackets: it ends at the first closing bracket outside braces, quotes and inner brackets."""
        line, start = self.line, self.at + 1
        depth, self.at = 1, start
        while self.at < len(self.text) and depth:
            if depth > TCL_DEPTH:
                raise TclError(f"too many nested brackets (the limit is {TCL_DEPTH})")
            letter = self.peek()
            if letter == "\\":
                self.at += 1
            elif letter == "{":
                end = closing_brace(self.text, self.at)
                if end < 0:
                    raise TclError("missing close-brace")
                self.at = end
            depth += {"[": 1, "]": -1}.get(letter, 0)
            self.at += 1
        if depth:
            raise TclError("missing close-bracket")
        return Part("script", self.text[start : self.at - 1], line=line)

    def escape(self) -> str:
        """The character that a backslash sequence stands for."""
        found, self.at = escape_at(self.text, self.at)
        return found


def join_lines(text: str) -> str:
    """Backslash, end of line and the blanks after it as one blank."""
    if "\\\n" not in text:
        return text
    first, *others = text.split("\\\n")
    joined = first
    for other in others:
        escaped = (len(joined) - len(joined.rstrip("\\"))) % 2 == 1
        joined += "\\\n" + other if escaped else " " + other.lstrip(" \t")
    return joined
