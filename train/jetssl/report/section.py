"""Sections of a page (facts, tables, pictures, the card behind them), and the page that they make."""

import base64
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from jetssl.evaluation.table import TableBlock
from jetssl.report.figures import FigureFile
from resim.common.atomic_write import write_text
from resim.common.versions import resim_version, utc_now

Facts = list[tuple[str, ...]]
WIDE = 1200
"""Pixels of a picture from which on it cannot be read at half the width of the page."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An image inside the page."""

    source: str
    """data URI"""
    caption: str
    wide: bool
    """more than twice as wide as high, or `WIDE`: gets a line of its own"""


@dataclass(frozen=True, slots=True)
class PageSection:
    """What the page says about one run or one pair file."""

    title: str
    kind: str
    facts: Facts
    """(name, value)"""
    tables: list[TableBlock]
    pictures: list[Picture]
    card: str
    """the resolved card as YAML"""


def embedded(figure: FigureFile) -> Picture:
    """A PNG as a picture that needs no file."""
    content = figure.path.read_bytes()
    # A PNG begins with 8 bytes of signature and the IHDR chunk, whose data are width and height.
    width, height = struct.unpack(">II", content[16:24])
    source = f"data:image/png;base64,{base64.b64encode(content).decode()}"
    return Picture(source, figure.caption, wide=width > 2 * height or width > WIDE)


def unbroken(cell: str) -> str:
    r"""A cell whose numbers stay on one line with their errors and intervals.

    >>> unbroken("0.9 ± 0.1 (+1.2)")
    '0.9\xa0±\xa00.1 (+1.2)'
    """
    return re.sub(r" ± |(?<=\d), (?=[\d∞])", lambda found: found[0].replace(" ", "\xa0"), cell)


def write_page(sections: Sequence[PageSection], output: Path) -> None:
    """Fill the template.

    Raises:
        InputError: the page cannot be written.
    """
    environment = Environment(
        loader=PackageLoader("jetssl.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["unbroken"] = unbroken
    page = environment.get_template("report.html").render(
        sections=sections, version=resim_version(), created=utc_now()
    )
    write_text(output, page)
