"""Cut an LHE file into its <init> and <event> blocks: lenient about form, strict about completeness.

Generators decorate the file in ways that are not XML (POWHEG's comments, Fortran exponents, Windows line ends, tags
of their own), and a file that stops early must be an error, where an XML stream merely ends. So the file is read
from tag to tag, in constant memory; which tags count depends on the place:

    place               tag → next place
    before the root     <LesHouchesEvents → between blocks
    between blocks      <init, <event → in a block; <!--, <header → skipped; </LesHouchesEvents → behind the root
    in a block          </init, </event → between blocks; <!-- and any other tag → skipped
    skipped             its end tag → where it was met
"""

import bz2
import gzip
import lzma
import math
import re
import stat
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, cast

from resim.common.errors import InputError
from resim.common.limits import (
    INFLATION,
    INFLATION_FREE,
    LHE_BLOCK,
    LHE_LINE,
    LHE_PER_ELEMENT,
    LHE_ROOT_WITHIN,
    LHE_TAG,
)

_COMPRESSED: Final[dict[bytes, Callable[[Path, Literal["rb"]], Any]]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}
"""First bytes of compressed files → what opens them."""
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_ROOT: Final = re.compile(r"<LesHouchesEvents(?=[\s>])")
_BETWEEN: Final = re.compile(r"<!--|<(?:header|init|event)(?=[\s>])|</(?:LesHouchesEvents|event)(?=[\s>])")
_OF_WEIGHTS: Final = frozenset({"<rwgt", "<weights", "<initrwgt"})
_SKIPPED: Final = {"<!--": re.compile("-->"), "<header": re.compile("</header")}
_IN_BLOCK: Final = re.compile(rf"<(?=event[\s>])|<!--|</?\w{{1,{LHE_TAG}}}")
_BEHIND: Final = re.compile(r"<(?:LesHouchesEvents|init|event)(?=[\s>])")
_TAG_END: Final = re.compile("[<>]")
_COMMENT: Final = re.compile(r"\s*#")
_PIECE: Final = 65_536
"""Bytes that are read at once."""


@dataclass(frozen=True, slots=True)
class Block:
    """One `<init>` or `<event>` element.

    Attributes:
        text: its lines, blank where its tags, its sub-elements (weights, scales, ...) and comments are.
        line: line of the file, from 1, on which it begins.
        whole: False if its start or end tag is missing; always true unless broken blocks were asked for.
        elements: the start tags of its sub-elements.
        weights: those that hold weights of events, or the names of weights.
    """

    text: str
    line: int
    whole: bool = True
    elements: tuple[str, ...] = ()
    weights: str = ""


@dataclass(frozen=True, slots=True)
class EventText:
    """An event as text: its index in the file, its records, and its elements that hold weights."""

    index: int
    text: str
    weights: str


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
    text = _Text(_pieces(path, hashed), path)
    if text.until(_ROOT, within=LHE_ROOT_WITHIN)[1] is None:
        what = "is empty" if path.stat().st_size == 0 else "holds no <LesHouchesEvents> tag"
        raise InputError(f"{path}: {what}; want a Les Houches Event file (arXiv:hep-ph/0609017)")
    n_blocks = 0
    for tag, block in _blocks(text):
        if block is None:
            _check_end(text, path, n_blocks)
            return
        _check_block(tag, block, path, n_blocks, broken_too)
        if tag != "<init" or n_blocks == 0:
            n_blocks += 1
            yield block
    where = f"after event {n_blocks - 2}" if n_blocks > 1 else "before its first event"
    raise InputError(f"{path}: truncated {where}: no </LesHouchesEvents> at the end; fetch or make the file again")


def _blocks(text: "_Text") -> Iterator[tuple[str, Block | None]]:
    """Tag and block of every <init> and <event>, then the end tag of the root, without a block.

    An event without its end tag is followed by the next one; one without its start tag is seen at its end tag.
    """
    while True:
        line = text.line
        before, tag = text.until(_BETWEEN)
        if tag is None:  # the file ends
            return
        if tag in _SKIPPED:
            text.until(_SKIPPED[tag], keep=False)
        elif tag == "</LesHouchesEvents":
            yield tag, None
        elif tag == "</event":
            yield tag, Block(before, line, whole=False)
        elif block := _block(text, tag.replace("<", "</")):
            yield tag, block


def _block(text: "_Text", end: str) -> Block | None:
    """The block whose `<init` or `<event` has been read, up to its end tag, or None if the file ends in it."""
    line = text.line
    text.until(_TAG_END, keep=False)
    kept = ["\n" * (text.line - line)]
    elements: list[str] = []
    weights: list[str] = []
    size = 0
    while True:
        before, tag = text.until(_IN_BLOCK)
        kept.append(before)
        size += len(before) + LHE_PER_ELEMENT
        text.check_size(size + text.line - line)
        if tag is None:
            return None
        if tag in (end, "<"):
            return Block("".join(kept), line, tag == end, tuple(elements), "".join(weights))
        begin, closed = text.line, False
        if not (tag.startswith("</") or text.on_comment_line):
            name = tag
            tag, content, closed = _skip_element(text, name, end, keep=name in _OF_WEIGHTS)
            weights += [tag, content, f"</{name[1:]}>"] if closed and name in _OF_WEIGHTS else []
            size += len(content)
        (elements if closed else kept).append(tag)  # whoever parses the lines finds a tag that has no partner
        kept.append("\n" * (text.line - begin))


def _skip_element(text: "_Text", tag: str, block_end: str, *, keep: bool) -> tuple[str, str, bool]:
    """Move behind the element or comment whose `<name` has been read.

    Returns:
        Its start tag, its content if that is to be kept, and whether it has an end.
    """
    end = "-->"
    if tag != "<!--":
        end = rf"</{tag[1:]}\s*>"
        attributes, bracket = text.until(_TAG_END)
        if bracket != ">":
            return tag + attributes, "", False
        tag += attributes + bracket
        if tag.endswith("/>"):
            return tag, "", True
    content, found = text.until(re.compile(rf"{end}|<(?={block_end[1:]}|event[\s>])"), keep=keep)
    return tag, content, found not in (None, "<")


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
    if text.until(_BEHIND, keep=False)[1]:
        raise InputError(f"{path}: more than one LHE document in one file; split it, one source each")


class _Text:
    """The text of a file from the present place on, and the number of the line that this place is on."""

    def __init__(self, pieces: Iterator[str], path: Path) -> None:
        self._pieces = pieces
        self._path = path
        self._here = ""
        self._place = 0
        self.line = 1

    def until(self, pattern: re.Pattern[str], within: float = math.inf, keep: bool = True) -> tuple[str, str | None]:
        """Move behind the next match; in front of it, if it is `<` alone.

        Returns:
            The text before it (empty without `keep`) and the match, or None if there is none `within` so much.

        Raises:
            InputError: there is more to keep than a block may have.
        """
        passed: list[str] = []
        n_passed = 0
        while (match := pattern.search(self._here, self._place)) is None:
            if keep:
                passed.append(self._here[self._place :])
            n_passed += len(self._here) - self._place
            if keep:
                self.check_size(n_passed)
            self.line += self._here.count("\n", self._place)
            self._here = next(self._pieces, "") if n_passed <= within else ""
            self._place = 0
            if not self._here:
                return "", None
        if keep:
            passed.append(self._here[self._place : match.start()])
        self.line += self._here.count("\n", self._place, match.start())
        self._place = match.start() if match[0] == "<" else match.end()
        return "".join(passed), match[0]

    def check_size(self, size: int) -> None:
        """Refuse a block of more characters than may be."""
        if size > LHE_BLOCK:
            raise InputError(
                f"{self._path}:{self.line}: more than {LHE_BLOCK} characters or lines in an event, in <init> or"
                " between them; want an LHE file, get it again"
            )

    @property
    def on_comment_line(self) -> bool:
        """Whether the present line begins with #."""
        begin = self._here.rfind("\n", max(self._place - _PIECE, 0), self._place) + 1
        return _COMMENT.match(self._here, begin) is not None


def _pieces(path: Path, hashed: Callable[[bytes], None]) -> Iterator[str]:
    """The text of a file in pieces that end with a line, so that no tag's name is torn."""
    try:
        with open_lhe(path) as stream:
            line, size, largest = 1, 0, largest_of(path)
            while piece := stream.read(_PIECE) + (rest := stream.readline(LHE_LINE)):
                line += piece.count(b"\n")
                size += len(piece)
                if len(rest) == LHE_LINE and not rest.endswith(b"\n"):
                    raise InputError(f"{path}:{line}: line exceeds {LHE_LINE} bytes; want an LHE file, get it again")
                if size > largest:
                    raise InputError(
                        f"{path}: unpacks to more than {largest / 1e6:.0f} MB, {INFLATION} times its size; unpack it"
                        " yourself if it is sound"
                    )
                hashed(piece)
                yield piece.decode("latin-1")
    except (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
        what = "corrupt or truncated gzip, bzip2 or xz file"
        raise InputError(f"{path}: {what} ({error}); fetch or make it again") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"{path}: cannot be read ({reason}); want an LHE file, plain or compressed") from error


def largest_of(path: Path) -> int:
    """Bytes that a file may have when it is unpacked."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        packed = stream.read(6).startswith(tuple(_COMPRESSED))
    return max(INFLATION * size, INFLATION_FREE) if packed else size


def open_lhe(path: Path) -> BinaryIO:
    """Open a file for reading, decompressed (gzip, bzip2, xz); its first bytes tell, not its name.

    Raises:
        InputError: it is compressed by zstd, or is a pipe or a device, which may have no end.
        OSError: it cannot be opened.
    """
    if not (stat.S_ISREG(mode := path.stat().st_mode) or stat.S_ISDIR(mode)):
        raise InputError(f"{path}: is a pipe or a device; want an LHE file, plain or compressed")
    with path.open("rb") as stream:
        start = stream.read(6)
    if start.startswith(_ZSTD):
        raise InputError(f"{path}: is compressed by zstd; unpack it (unzstd {path.name})")
    opener = next((opener for magic, opener in _COMPRESSED.items() if start.startswith(magic)), None)
    return cast("BinaryIO", opener(path, "rb")) if opener else path.open("rb")
