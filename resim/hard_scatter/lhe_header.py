"""What stands before the events of an LHE file: its header, as far as it is part of the physics."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from resim.common.errors import InputError
from resim.common.limits import LHE_HEADER, LHE_LINE
from resim.hard_scatter.lhe_text import open_lhe

_INIT: Final = re.compile(r"<init[\s>]")
_QNUMBERS: Final = re.compile(r"^[ \t]*block[ \t]+qnumbers[ \t]+(\d{1,9})\b", re.IGNORECASE | re.MULTILINE)


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
        InputError: the file cannot be read, or there is no `<init>` block within 5 MB.
    """
    lines: list[str] = []
    size = 0
    try:
        with open_lhe(path) as stream:
            while raw := stream.readline(LHE_LINE):
                line = raw.decode("latin-1")
                size += len(line)
                if _INIT.match(line.lstrip()) or size > LHE_HEADER:
                    break
                lines.append(line)
    except (OSError, EOFError) as error:
        raise InputError(f"{path}: cannot be read ({error}); want an LHE file") from error
    if size > LHE_HEADER:
        raise InputError(f"{path}: no <init> block within {LHE_HEADER} characters; is it an LHE file?")
    text = "".join(lines)
    return Header(text, _slha(text))


def _slha(text: str) -> str:
    """Content of the `<slha>` element; every search goes once through the text."""
    begin = text.find("<slha")
    content = text.find(">", begin) + 1
    end = text.find("</slha", content)
    return text[content:end] if begin >= 0 < content <= end else ""
