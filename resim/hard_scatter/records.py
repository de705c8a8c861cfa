"""The records of an LHE block: its lines of numbers, without tags, sub-elements and comments."""

import re
from typing import Final

_OPENING_TAG: Final = re.compile(r"^[^>]*>")
_DECORATION: Final = re.compile(r"<!--|<(\w+)[^<>]*>")
_FORTRAN_EXPONENT: Final = re.compile(r"(?<=[\d.])[dD](?=[+-]?\d)")


def records_of(block: str) -> list[str]:
    """The records of a block in order; of an event, the event line and one line a particle."""
    return [line for line in _plain_lines(block) if _is_record(line)]


def line_of_record(block: str, record: int | None) -> int:
    """Number of lines between the beginning of a block and one of its records; 0 for None, the block as a whole."""
    if record is None:
        return 0
    return [place for place, line in enumerate(_plain_lines(block)) if _is_record(line)][record]


def _plain_lines(block: str) -> list[str]:
    """Lines of a block, blank where its opening tag, its sub-elements (weights, scales, ...) and comments were."""
    text = _OPENING_TAG.sub(_line_ends, block, count=1)
    if "<" in text:
        text = _without_decoration(text)
    return [line.strip() for line in _FORTRAN_EXPONENT.sub("E", text).splitlines()]


def _is_record(line: str) -> bool:
    return bool(line) and not line.startswith("#")


def _line_ends(passage: re.Match[str] | str) -> str:
    return "\n" * (passage if isinstance(passage, str) else passage[0]).count("\n")


def _without_decoration(text: str) -> str:
    """Blank out elements and comments, in time linear in the text however it is broken."""
    kept: list[str] = []
    place = begin = 0
    endless: set[str] = set()
    while tag := _DECORATION.search(text, place):
        place = tag.end()
        end = _end_of_element(text, tag, endless)
        if end is not None:
            kept += text[begin : tag.start()], _line_ends(text[tag.start() : end])
            place = begin = end
    return "".join(kept) + text[begin:]


def _end_of_element(text: str, tag: re.Match[str], endless: set[str]) -> int | None:
    """Where the element of this tag ends, or None if it has no end; `endless` remembers what need not be sought."""
    if tag[0].endswith("/>"):
        return tag.end()
    name = tag[1] or tag[0]
    pattern = rf"</{name}\s*>" if tag[1] else "-->"
    if name not in endless and (end := re.compile(pattern).search(text, tag.end())):
        return end.end()
    endless.add(name)
    return None
