"""What stands before the events of an LHE file: its header, as far as it is part of the physics."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from resim.common.errors import InputError
from resim.hard_scatter.lhe_text import open_lhe

_LARGEST: Final = 100_000_000
"""Characters of a header; those of MadGraph, with all its cards, have some 100,000."""
_INIT: Final = re.compile(r"<init[\s>]")
_QNUMBERS: Final = re.compile(r"^\s*block\s+qnumbers\s+(\d+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a file.

    Attributes:
        text: all of it.
        slha: content of its `<slha>` element, or an empty string.
    """

    text: str
    slha: str

    @property
    def new_particles(self) -> frozenset[int]:
        """PDG ids that the header defines (`BLOCK QNUMBERS`, arXiv:0712.3311)."""
        return frozenset(int(number) for number in _QNUMBERS.findall(self.slha))


def read_header(path: Path) -> Header:
    """Read what stands before the `<init>` block.

    Raises:
        InputError: the file cannot be read, or there is no `<init>` block within 100 MB.
    """
    lines: list[str] = []
    size = 0
    try:
        with open_lhe(path) as stream:
            for raw in stream:
                line = raw.decode("latin-1")
                size += len(line)
                if _INIT.match(line.lstrip()) or size > _LARGEST:
                    break
                lines.append(line)
    except (OSError, EOFError) as error:
        raise InputError(f"{path}: cannot be read ({error}); want an LHE file") from error
    if size > _LARGEST:
        raise InputError(f"{path}: no <init> block within {_LARGEST} characters; is it an LHE file?")
    text = "".join(lines)
    found = re.search(r"<slha[^>]*>(.*?)</slha", text, re.DOTALL)
    return Header(text, found[1] if found else "")
