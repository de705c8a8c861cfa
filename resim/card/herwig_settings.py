"""Input files of Herwig 7: what a card may say, and what the code adds to make a run of LHE events."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from resim.card.stages import ShowerSection
from resim.common.errors import InputError

LHE_FILE: Final = "events.lhe"
HEPMC_FILE: Final = "events.hepmc"
RUN: Final = "resim"
"""Name of the run: Herwig calls its files `resim.run`, `resim.log`, ..."""

_COMMANDS: Final = frozenset({"cd", "clear", "cp", "create", "do", "erase", "insert", "newdef", "read", "set"})
"""Commands of ThePEG's repository that cards may use; `saverun`, `run`, `library`, `rm`, ... are the code's."""
_OWNED_PLACES: Final = (
    "/Herwig/Analysis",
    "/Herwig/Cuts",
    "/Herwig/EventHandlers",
    "/Herwig/Generators",
    "/Herwig/Random",
)
"""Parts of Herwig's repository that hold output, cuts, beams, event counts and seeds."""
_OWNED_WORDS: Final = re.compile(
    r"LesHouches|LHEReader|HepMC|Rivet|AnalysisHandler|Luminosity|:Seed\b|:(Cache)?FileName\b|:Beam[AB]\b",
    re.IGNORECASE,
)
_SNIPPET: Final = re.compile(r"snippets/[\w.+-]+\.in")
_OWNED_SNIPPET: Final = re.compile(r"HepMC|Rivet|Analysis|Collider|CM-|LHC-|FixedTarget|FixedOrder|LHE|Matchbox")
_IDLE_SNIPPET: Final = re.compile(r"snippets/YFS")
"""It inserts a step into Herwig's EventHandler, but LHE events go through another one, where it would do nothing."""

_EVENT_RUN: Final = f"""
cd /Herwig/EventHandlers
library LesHouches.so
create ThePEG::Cuts /Herwig/Cuts/NoCuts
create ThePEG::LesHouchesFileReader LHEReader
set LHEReader:FileName {LHE_FILE}
set LHEReader:AllowedToReOpen No
set LHEReader:InitPDFs No
set LHEReader:PDFA /Herwig/Partons/HardLOPDF
set LHEReader:PDFB /Herwig/Partons/HardLOPDF
set LHEReader:Cuts /Herwig/Cuts/NoCuts
set LHEReader:MomentumTreatment RescaleEnergy
create ThePEG::LesHouchesEventHandler LHEHandler
insert LHEHandler:LesHouchesReaders 0 LHEReader
set LHEHandler:WeightOption VarNegWeight
set LHEHandler:PartonExtractor /Herwig/Partons/PPExtractor
set LHEHandler:CascadeHandler /Herwig/Shower/ShowerHandler
set LHEHandler:HadronizationHandler /Herwig/Hadronization/ClusterHadHandler
set LHEHandler:DecayHandler /Herwig/Decays/DecayHandler
set /Herwig/Partons/RemnantDecayer:AllowTop Yes
cd /Herwig/Generators
set EventGenerator:EventHandler /Herwig/EventHandlers/LHEHandler
set EventGenerator:MaxErrors -1
set EventGenerator:DebugLevel 0
set EventGenerator:PrintEvent 0
insert EventGenerator:AnalysisHandlers 0 /Herwig/Analysis/HepMCFile
set /Herwig/Analysis/HepMCFile:Filename {HEPMC_FILE}
set /Herwig/Analysis/HepMCFile:Format GenEvent
set /Herwig/Analysis/HepMCFile:Units GeV_mm
set /Herwig/Analysis/HepMCFile:PrintEvent 1000000000
cd /
"""
"""Lines before the card's. With VarNegWeight ThePEG neither unweights nor skips events (all weights are 1); dropped
events do not end the run (MaxErrors -1). The log holds no events (DebugLevel, PrintEvent of the generator: the HepMC
file is the same, 10-15 % sooner); PrintEvent of HepMCFile is the number of events to write: all."""
_SAVE: Final = f"cd /Herwig/Generators\nsaverun {RUN} EventGenerator\n"


def input_file(settings: tuple[str, ...]) -> str:
    """The text of Herwig's input file: reading LHE, writing HepMC, and the settings of a card."""
    return "\n".join((_EVENT_RUN.lstrip(), *settings, _SAVE))


def herwig_lines(shower: ShowerSection) -> tuple[str, ...]:
    """Settings of a view that Herwig makes: the lines of its card."""
    return read_herwig_card(shower.card) if shower.card else ()


def read_herwig_card(path: Path) -> tuple[str, ...]:
    """The lines of a Herwig card without comments and blank lines.

    Raises:
        InputError: the card cannot be read, or names file and line of what a card may not do.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); want a Herwig input file") from error
    return tuple(checked_lines(text, path))


def checked_lines(text: str, path: Path) -> Iterator[str]:
    """The lines of a Herwig card without comments and blank lines.

    Raises:
        InputError: names `path` and line of what a card may not do.
    """
    place = "/"
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.split("#", 1)[0].strip()
        if not line:
            continue
        command, *arguments = line.split()
        if command == "cd" and arguments:
            place = _absolute(arguments[0], place)
        if reason := _refusal(command, arguments, place):
            raise InputError(f"{path}:{number}: {line!r} {reason}; cards set physics only, remove it")
        yield line


def _refusal(command: str, arguments: list[str], place: str) -> str | None:
    if command not in _COMMANDS:
        return f"is not one of the commands {', '.join(sorted(_COMMANDS))}"
    if command == "create" and len(arguments) > 2:
        return "names a library"
    if command == "read":
        snippet = _SNIPPET.fullmatch(" ".join(arguments))
        if snippet and _IDLE_SNIPPET.match(snippet[0]):
            return "changes Herwig's own EventHandler, which LHE events do not go through: it would do nothing"
        allowed = snippet is not None and not _OWNED_SNIPPET.search(snippet[0])
        return None if allowed else "reads a file that is not one of Herwig's physics snippets (snippets/NAME.in)"
    if found := _OWNED_WORDS.search(" ".join(arguments)):
        return f"touches {found[0]}, which resim controls"
    # A value such as `Random` is no path; only the object that a line is about may be given without a slash.
    named = [_absolute(word, place) for i, word in enumerate(arguments) if i == 0 or "/" in word]
    touched = [owned for owned in _OWNED_PLACES for path in named if f"{path}/".startswith(f"{owned}/")]
    return f"touches {touched[0]}, which resim controls" if touched else None


def _absolute(name: str, place: str) -> str:
    """The path of an object in Herwig's repository, without its interface (what follows a colon)."""
    parts: list[str] = []
    for part in f"{'' if name.startswith('/') else place}/{name}".split(":", 1)[0].split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)
