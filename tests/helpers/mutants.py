"""Damaged copies of sound input, each a function of kind, seed and number; and what must hold of whatever reads one.

`RESIM_FUZZ_SEED` (0) and `RESIM_FUZZ_INPUTS` (3000, of all kinds together) say which; `make fuzz` sets both.
"""

import contextlib
import os
import random
import re
import resource
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from resim.common.commandline import LONGEST_MESSAGE, shortened
from resim.common.errors import InputError

SEED = int(os.environ.get("RESIM_FUZZ_SEED", "0"))
INPUTS = int(os.environ.get("RESIM_FUZZ_INPUTS", "3000"))
KINDS = 20
"""Kinds of input that `make test` reads; all get equal shares."""
SECONDS = 10
BYTES = 1_000_000_000
"""More than the 500 MB of the promise, as allocators reserve more than they use."""
TOKENS = (
    b"nan", b"-inf", b"1e999", b"-1", b"0", b"9" * 30, b"1e10", b"2147483648", b"-9223372036854775809", b"0x7f", b"\0",
    b"\r", b"\n", b"\xff\xfe", b"\x1b[2J", b"{", b"}", b"[", b"]", b"<", b">", b"&a", b"*a", b"$", b"\\", b'"', b"'", b"#",
    b"true", b"null", b"~", b"!!int", b"../../etc/passwd", b"/dev/zero", b"a" * 5000, b"(" * 200, b"1+" * 200,
)  # fmt: skip
"""What readers stumble over."""
_NUMBER = re.compile(rb"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?")


def mutant(sound: Sequence[bytes], kind: str, number: int, tokens: Sequence[bytes] = ()) -> bytes:
    """The damaged input of this number: one to four damages of one of the sound ones, or of two spliced together."""
    draw = random.Random(f"{kind} {SEED} {number}")
    content = draw.choice(sound)
    for _ in range(draw.randint(1, 4)):
        content = draw.choice(_DAMAGES)(content, draw, [*TOKENS, *tokens])
        if draw.random() < 0.05:
            other = draw.choice(sound)
            content = content[: draw.randint(0, len(content))] + other[draw.randint(0, len(other)) :]
    return content


def _bits(content: bytes, draw: random.Random, _: Sequence[bytes]) -> bytes:
    changed = bytearray(content)
    for _ in range(draw.randint(1, 4) if changed else 0):
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _cut(content: bytes, draw: random.Random, _: Sequence[bytes]) -> bytes:
    begin, end = sorted(draw.randint(0, len(content)) for _ in range(2))
    return content[:begin] if draw.random() < 0.3 else content[:begin] + content[begin + (end - begin) % 50 :]


def _token(content: bytes, draw: random.Random, tokens: Sequence[bytes]) -> bytes:
    place = draw.randint(0, len(content))
    return content[:place] + draw.choice(tokens) + content[place + draw.choice([0, 0, 1, 5]) :]


def _number(content: bytes, draw: random.Random, tokens: Sequence[bytes]) -> bytes:
    if not (found := list(_NUMBER.finditer(content))):
        return _token(content, draw, tokens)
    one = draw.choice(found)
    return content[: one.start()] + draw.choice(tokens) + content[one.end() :]


def _lines(content: bytes, draw: random.Random, _: Sequence[bytes]) -> bytes:
    lines = content.splitlines(keepends=True) or [b""]
    i, j = draw.randrange(len(lines)), draw.randrange(len(lines))
    match draw.randrange(4):
        case 0:
            del lines[i]
        case 1:
            lines.insert(j, lines[i])
        case 2:
            lines[i], lines[j] = lines[j], lines[i]
        case _:
            lines[i] = lines[i] * draw.choice([2, 10, 100])
    return b"".join(lines)


_DAMAGES = (_bits, _cut, _token, _token, _number, _number, _lines)


class ExceededError(BaseException):
    """An input took longer than `SECONDS`; no reader catches that."""


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """CPU time and memory of a block are limited."""

    def exceeded(*_: Any) -> None:
        raise ExceededError

    before, limits = signal.signal(signal.SIGVTALRM, exceeded), resource.getrlimit(resource.RLIMIT_AS)
    if (size := Path("/proc/self/statm")).exists():
        used = int(size.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + BYTES, limits[1]))
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        resource.setrlimit(resource.RLIMIT_AS, limits)
        signal.signal(signal.SIGVTALRM, before)


def refused(read: Callable[[], Any]) -> str:
    """What reading is refused with, empty if it is not: one printable line, as the command line shows it."""
    try:
        with bounded():
            read()
    except InputError as error:
        message = str(error)
    else:
        return ""
    shown = shortened(message)
    assert len(shown) <= LONGEST_MESSAGE, f"{len(shown)} characters: {shown!r}"
    assert shown.isprintable(), repr(shown)
    return message


@dataclass(frozen=True)
class Kind:
    """A kind of input.

    Attributes:
        name: of the kind, part of the seed of its mutants.
        suffix: of its files.
        read: everything that reads such a file, one call each.
        tokens: words that mean something in such a file.
    """

    name: str
    suffix: str
    read: tuple[Callable[[Path], Any], ...]
    tokens: tuple[bytes, ...] = ()

    def try_all(self, sound: Sequence[bytes], folder: Path, share: float = 1) -> tuple[int, int]:
        """Read this kind's share of mutants; number of those accepted and refused by its first reader.

        A find names kind, seed and number, and leaves the input in `folder`.
        """
        path, counts = folder / f"input{self.suffix}", [0, 0]
        for number in range(int(share * INPUTS / KINDS)):
            path.write_bytes(mutant(sound, self.name, number, self.tokens))
            for i, read in enumerate(self.read):
                try:
                    message = refused(lambda read=read: read(path))
                except (Exception, ExceededError) as error:
                    pytest.fail(
                        f"{self.name}, seed {SEED}, number {number}: {type(error).__name__}: {error!s:.600}; {path}"
                    )
                counts[bool(message)] += i == 0
        return counts[0], counts[1]
