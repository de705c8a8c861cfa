"""Cut an LHE file into its <init> and <event> blocks: lenient about form, strict about completeness.

Generators decorate the file in ways that are not XML (POWHEG's comments, Fortran exponents, Windows line ends, tags
of their own), and a file that stops early must be an error, where an XML stream merely ends. So the file is cut by
its tags, one line at a time, in constant memory.
"""

import gzip
import io
import math
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from resim.common.errors import InputError

_GZIP_MAGIC = b"\x1f\x8b"
_ROOT = re.compile(r"<LesHouchesEvents(?=[\s>])")
_NEXT = re.compile(r"<!--|<(header|init|event)(?=[\s>])|</(LesHouchesEvents|event)")
_MORE = re.compile(r"<(LesHouchesEvents|init|event)(?=[\s>])")
_END = {
    "<!--": re.compile("-->"),
    "<header": re.compile("</header"),
    "<init": re.compile(r"</init|<event(?=[\s>])"),
    "<event": re.compile(r"</event|<event(?=[\s>])"),
}
_ROOT_WITHIN = 1_000_000
"""Characters in which the root tag must appear; more would mean reading a foreign file of any size."""


@dataclass(frozen=True, slots=True)
class Block:
    """One `<init>` or `<event>` element.

    Attributes:
        text: from behind the tag's name to the end tag, attributes included.
        line: line of the file, from 1, on which it begins.
        whole: it has both its tags; always true unless broken blocks were asked for.
    """

    text: str
    line: int
    whole: bool = True


def read_blocks(
    path: Path, hashed: Callable[[bytes], None] = lambda _: None, broken_too: bool = False
) -> Iterator[Block]:
    """The <init> block, then every <event> block of a file, read lazily.

    Args:
        path: LHE file, plain or gzipped.
        hashed: is given the decompressed bytes as they are read.
        broken_too: yield an event that lacks a tag as a block that is not whole, where it would be an error.

    Raises:
        InputError: the file cannot be read, is not LHE, is truncated, or a block lacks a tag.
    """
    text = _Text(_lines(path, hashed))
    if text.until(_ROOT, within=_ROOT_WITHIN) is None:
        what = "is empty" if path.stat().st_size == 0 else "holds no <LesHouchesEvents> tag"
        raise InputError(f"{path}: {what}; want a Les Houches Event file (arXiv:hep-ph/0609017)")
    n_blocks = 0
    for tag, block in _elements(text):
        if tag == "</LesHouchesEvents":
            _check_end(text, path, n_blocks)
            return
        if block is None:
            raise _truncated(path, n_blocks)
        _check_block(tag, block, path, n_blocks, broken_too)
        if tag != "<init" or n_blocks == 0:
            n_blocks += 1
            yield block
    raise _truncated(path, n_blocks)


def _elements(text: "_Text") -> Iterator[tuple[str, Block | None]]:
    """Tag and block of every <init> and <event>, or None in place of a block that the file ends in.

    An event without its end tag is followed by the next one; one without its start tag is seen at its end tag.
    """
    line, found = text.line, text.until(_NEXT)
    while found is not None:
        before, tag = found
        if tag == "</event":
            yield tag, Block(f">{before}", line, whole=False)
        elif tag == "</LesHouchesEvents":
            yield tag, None
        else:
            line = text.line
            end = text.until(_END[tag], keep=tag in ("<init", "<event"))
            if tag in ("<init", "<event") or end is None:
                whole = end is not None and end[1] != "<event"
                yield tag, end and Block(end[0], line, whole)
                if not whole:
                    found = end and ("", end[1])
                    continue
        line, found = text.line, text.until(_NEXT)


def _check_block(tag: str, block: Block, path: Path, n_blocks: int, broken_too: bool) -> None:
    if tag != "<init" and n_blocks == 0:
        raise InputError(f"{path}:{block.line}: has an <event> before its <init> block; want that first")
    if block.whole or (broken_too and tag != "<init"):
        return
    which = "its <init> block" if tag == "<init" else f"event {n_blocks - 1}"
    lacks = "no start tag" if tag == "</event" else "no end tag before the next <event>"
    raise InputError(f"{path}:{block.line}: {which} has {lacks}; repair the file")


def _check_end(text: "_Text", path: Path, n_blocks: int) -> None:
    if n_blocks == 0:
        raise InputError(f"{path}: has no <init> block; is it a complete LHE file?")
    if text.until(_MORE, keep=False):
        raise InputError(f"{path}: more than one LHE document in one file; split it, one source each")


def _truncated(path: Path, n_blocks: int) -> InputError:
    where = f"after event {n_blocks - 2}" if n_blocks > 1 else "before its first event"
    return InputError(f"{path}: truncated {where}: no </LesHouchesEvents> at the end; fetch or make the file again")


class _Text:
    """The text of a file from the present place on, and the number of the line that this place is on."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._here = ""
        self._place = 0
        self.line = 0

    def until(self, pattern: re.Pattern[str], within: float = math.inf, keep: bool = True) -> tuple[str, str] | None:
        """Move behind the next match.

        Returns:
            The text before it (empty without `keep`) and the match, or None if there is none `within` so much.
        """
        passed: list[str] = []
        n_passed = 0
        while (match := pattern.search(self._here, self._place)) is None:
            if keep:
                passed.append(self._here[self._place :])
            n_passed += len(self._here) - self._place
            self._here = next(self._lines, "") if n_passed <= within else ""
            self._place = 0
            if not self._here:
                return None
            self.line += 1
        if keep:
            passed.append(self._here[self._place : match.start()])
        self._place = match.end()
        return "".join(passed), match[0]


def _lines(path: Path, hashed: Callable[[bytes], None]) -> Iterator[str]:
    try:
        with open_lhe(path) as stream:
            for line in stream:
                hashed(line)
                yield line.decode("latin-1")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{path}: corrupt or truncated gzip file ({error}); fetch or make it again") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"{path}: cannot be read ({reason}); want an LHE file, plain or gzipped") from error


def open_lhe(path: Path) -> gzip.GzipFile | io.BufferedReader:
    """Open a file for reading, decompressed; its first bytes tell, not its name."""
    with path.open("rb") as stream:
        is_gzip = stream.read(2) == _GZIP_MAGIC
    return gzip.open(path, "rb") if is_gzip else path.open("rb")
