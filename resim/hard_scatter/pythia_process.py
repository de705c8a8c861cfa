"""Hard scatters from Pythia's internal processes, written as LHE (arXiv:hep-ph/0609017).

Pythia has writers of its own. Reached from Python, `LHAupFromPYTHIA8` leaves scale and couplings of the events at 0
and the cross section at 1, and `LHEF3FromPythia8` puts all settings of the installation, its folders included, into
every file and keeps 8 digits. Here the process record goes through pylhe, with every digit.
"""

from array import array
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, TextIO
from xml.sax.saxutils import escape

import pylhe
import pythia8mc

from resim.common.errors import InputError
from resim.common.progress import ProgressReport
from resim.common.silence import stdout_silenced
from resim.common.units import PYTHIA_HARD_INCOMING
from resim.common.versions import resim_release
from resim.hard_scatter.process_card import PythiaProcess

_PB_PER_MB: Final = 1e9
_STRATEGY: Final = 4
"""IDWTUP = 4: the mean of the events' weights is the cross section in pb."""
_FIRST: Final = 3
"""Place of the first parton in Pythia's process record: behind the system and the two beams."""
_EVENTS_BETWEEN_REPORTS: Final = 100
_ATTEMPTS: Final = 10
"""Consecutive failures before Pythia is given up, as its own `Main:timesAllowErrors`."""
_FORMAT: Final = pylhe.LHEXMLFormat(
    eventinfo="{nparticles:3d} {pid:6d} {{weight}} {scale:.16e} {aqed:.16e} {aqcd:.16e}",  # the weight comes last
    particle="{id:8d} {status:2d} {mother1:3d} {mother2:3d} {color1:4d} {color2:4d} {px:.16e} {py:.16e} {pz:.16e}"
    " {e:.16e} {m:.16e} {lifetime:.6e} {spin:.1f}",
)


def write_pythia_events(card: PythiaProcess, n_events: int, seed: int, path: Path, quiet: bool) -> None:
    """Make events and write them, uncompressed; equal card, number, seed and versions give equal bytes.

    Raises:
        InputError: Pythia refuses a setting, knows no process to make, or fails again and again.
    """
    pythia = _start(card, seed)
    weights = array("d")
    spool = path.with_name(f"{path.name}.events")
    with spool.open("w", encoding="ascii") as stream:
        _spool_events(pythia, n_events, weights, stream, quiet)
    info = pythia.infoPython()
    picobarn = info.sigmaGen() * _PB_PER_MB * n_events / sum(weights)
    with path.open("w", encoding="utf-8") as output, spool.open(encoding="ascii") as events:
        output.writelines(f"{line}\n" for line in (*_head(card, n_events, seed), *_init(info, pythia)))
        output.writelines(_weighted(events, (weight * picobarn for weight in weights)))
        output.write("</LesHouchesEvents>\n")
    spool.unlink()


def _start(card: PythiaProcess, seed: int) -> Any:
    pythia = pythia8mc.Pythia("", False)
    own = ("Print:quiet = on", f"Beams:eCM = {card.e_cm!r}", "PartonLevel:all = off")
    random = ("Random:setSeed = on", f"Random:seed = {seed}")
    with stdout_silenced():
        for line in (*own, *random, *card.settings):
            if not pythia.readString(line):
                raise InputError(f"Pythia refuses the setting {line!r}; correct or remove it in the process card")
        if not pythia.init():
            raise InputError(f"Pythia makes no process of {list(card.settings)}; switch one on in the card")
    return pythia


def _spool_events(pythia: Any, n_events: int, weights: "array[float]", stream: TextIO, quiet: bool) -> None:
    with ProgressReport("hard-scatter", n_events, "events", quiet) as progress:
        for number in range(1, n_events + 1):
            if not any(pythia.next() for _ in range(_ATTEMPTS)):
                raise InputError(f"event {number - 1}: Pythia failed {_ATTEMPTS} times; loosen the cuts of the card")
            info = pythia.infoPython()
            weights.append(info.weight())
            stream.write(f"{_event(pythia.process, info).tolhe(_FORMAT)}\n")
            if number % _EVENTS_BETWEEN_REPORTS == 0 or number == n_events:
                progress.advance((number - 1) % _EVENTS_BETWEEN_REPORTS + 1)


def _event(process: Any, info: Any) -> pylhe.LHEEvent:
    particles = [_particle(process[i]) for i in range(_FIRST, process.size())]
    eventinfo = pylhe.LHEEventInfo(len(particles), info.code(), 0.0, process.scale(), info.alphaEM(), info.alphaS())
    return pylhe.LHEEvent(eventinfo, particles)


def _particle(p: Any) -> pylhe.LHEParticle:
    status = 1 if p.isFinal() else -1 if p.status() == PYTHIA_HARD_INCOMING else 2
    first, second = (max(mother - _FIRST + 1, 0) for mother in (p.mother1(), p.mother2()))
    mothers = (first, second or first)
    momentum = (p.px(), p.py(), p.pz(), p.e(), p.m())
    return pylhe.LHEParticle(p.id(), status, *mothers, p.col(), p.acol(), *momentum, p.tau(), p.pol())


def _weighted(lines: Iterable[str], weights: Iterator[float]) -> Iterator[str]:
    for line in lines:
        yield line.replace("{weight}", f"{next(weights):.16e}") if "{weight}" in line else line


def _head(card: PythiaProcess, n_events: int, seed: int) -> Iterator[str]:
    yield '<LesHouchesEvents version="3.0">'
    yield "<header>"
    yield f"# resim {resim_release()}, hard process of pythia8mc {version('pythia8mc')}, no shower"
    yield f"# seed: {seed}"
    yield f"# events: {n_events}"
    yield f"# beams: p p, {card.e_cm / 2!r} + {card.e_cm / 2!r} GeV"
    yield from (f"# setting: {escape(line)}" for line in card.settings)
    yield "</header>"


def _init(info: Any, pythia: Any) -> Iterator[str]:
    codes = [code for code in info.codesHard() if info.nAccepted(code)]
    energy = pythia.parm("Beams:eCM") / 2
    yield "<init>"
    yield pylhe.LHEInitInfo(2212, 2212, energy, energy, 0, 0, 0, 0, _STRATEGY, len(codes)).tolhe(_FORMAT)
    for code in codes:
        sigma, error = (value(code) * _PB_PER_MB for value in (info.sigmaGen, info.sigmaErr))
        yield pylhe.LHEProcInfo(sigma, error, sigma, code).tolhe(_FORMAT)
    yield f"<generator name='Pythia' version='{version('pythia8mc')}'>resim {resim_release()}</generator>"
    yield "</init>"
