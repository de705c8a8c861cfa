"""Write LHE events for another generator: unit weights, every number with all its digits."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import pylhe

from resim.hard_scatter.lhe_reading import Beams

_UNIT_WEIGHT_STRATEGY: Final = 3
"""IDWTUP = 3: every event is accepted as it is (arXiv:hep-ph/0109068)."""
_PROCESS_ID: Final = 1
_NO_PDF: Final = 0
"""PDFGUP = PDFSUP = 0: the reader uses its own PDFs."""


def write_lhe(path: Path, beams: Beams, events: Iterable[pylhe.LHEEvent]) -> None:
    """Write an LHE file (arXiv:hep-ph/0609017) of one process with XWGTUP = 1 and IDWTUP = 3.

    Particles, scale and couplings are written so that reading gives the same floats; the event's own weight and
    process number are replaced.
    """
    with path.open("w", encoding="ascii") as stream:
        stream.writelines(f"{line}\n" for line in _lines(beams, events))


def _lines(beams: Beams, events: Iterable[pylhe.LHEEvent]) -> Iterator[str]:
    pdfs = 4 * (_NO_PDF,)
    # The root tag must be on the first line: ThePEG's LesHouchesFileReader looks for it nowhere else.
    yield '<LesHouchesEvents version="1.0">'
    yield "<init>"
    yield _join(beams.pdg_id_a, beams.pdg_id_b, beams.energy_a, beams.energy_b, *pdfs, _UNIT_WEIGHT_STRATEGY, 1)
    yield _join(1.0, 0.0, 1.0, _PROCESS_ID)  # XSECUP XERRUP XMAXUP LPRUP
    yield "</init>"
    for event in events:
        yield "<event>"
        info = event.eventinfo
        yield _join(len(event.particles), _PROCESS_ID, 1.0, info.scale, info.aqed, info.aqcd)
        yield from map(_particle, event.particles)
        yield "</event>"
    yield "</LesHouchesEvents>"


def _particle(p: pylhe.LHEParticle) -> str:
    integers = (p.id, p.status, p.mother1, p.mother2, p.color1, p.color2)
    return _join(*(int(number) for number in integers), *map(float, (p.px, p.py, p.pz, p.e, p.m, p.lifetime, p.spin)))


def _join(*numbers: float) -> str:
    return " ".join(map(repr, numbers))
