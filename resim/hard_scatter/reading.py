"""Read LHE files event by event: strict about content, lenient about form.

Records are parsed with pylhe. The file around them is split here, because generators decorate it in ways that are
not XML (POWHEG's comments, Fortran exponents, Windows line ends, tags of their own) and because a file that stops
early must be an error, where an XML stream merely ends.
"""

import gzip
import hashlib
import io
import math
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import pylhe

from resim.errors import InputError

_GZIP_MAGIC = b"\x1f\x8b"
_ROOT = re.compile(r"<LesHouchesEvents(?=[\s>])")
_NEXT = re.compile(r"<!--|<(header|init|event)(?=[\s>])|</LesHouchesEvents")
_MORE = re.compile(r"<(LesHouchesEvents|init|event)(?=[\s>])")
_END = {
    "comment": re.compile("-->"),
    "header": re.compile("</header"),
    "init": re.compile(r"</init|<event(?=[\s>])"),
    "event": re.compile(r"</event|<event(?=[\s>])"),
}
_ROOT_WITHIN = 1_000_000
"""Characters in which the root tag must appear; more would mean reading a foreign file of any size."""
_OPENING_TAG = re.compile(r"^[^>]*>")
_DECORATION = re.compile(r"<!--.*?-->|<(\w+)[^>]*>.*?</\1\s*>|<[^>]*/>", re.DOTALL)
_FORTRAN_EXPONENT = re.compile(r"(?<=[\d.])[dD](?=[+-]?\d)")
_FIELDS_OF_A_PARTICLE = 13
_BEAM, _INCOMING, _OUTGOING = -9, -1, 1
_MOMENTUM_TOLERANCE = 1e-3
"""Largest imbalance of an event as a fraction of its incoming energy; LHE files carry at least 7 digits."""


@dataclass(frozen=True, slots=True)
class Beams:
    """The colliding beams of a file: PDG ids, and energies in GeV."""

    pdg_id_a: int
    pdg_id_b: int
    energy_a: float
    energy_b: float


@dataclass(frozen=True, slots=True)
class Survey:
    """What an LHE file holds.

    Attributes:
        sha256: SHA-256 of the decompressed bytes.
        n_events: number of event blocks in the file.
        beams: the beams of the init block.
        generator: name and version that the init block gives, or an empty string.
        pdg_ids: absolute PDG ids of the outgoing and intermediate particles of the events that were parsed.
    """

    sha256: str
    n_events: int
    beams: Beams
    generator: str
    pdg_ids: frozenset[int]


def survey(path: Path, n_events: int | None = None) -> Survey:
    """Read a whole file once: hash it, check that it is complete, parse its first `n_events` events (None: all).

    Raises:
        InputError: the file is missing, empty, not LHE, corrupt, truncated, or an event is broken.
    """
    digest = hashlib.sha256()
    blocks = _blocks(path, digest.update)
    beams, generator = _parse_init(next(blocks), path)
    found: set[int] = set()
    index = -1
    for index, block in enumerate(blocks):
        if n_events is None or index < n_events:
            event = parse_event(block, path, index)
            _check_energy(event, beams, path, index)
            found.update(abs(particle.id) for particle in event.particles if particle.status > 0)
    if index < 0:
        raise InputError(f"{path}: holds no event; want at least one <event> block")
    return Survey(digest.hexdigest(), index + 1, beams, generator, frozenset(found))


def event_blocks(path: Path, n_events: int | None = None) -> Iterator[tuple[int, str]]:
    """Index and text of the first `n_events` event blocks (None: all), read lazily."""
    blocks = _blocks(path)
    next(blocks)
    yield from zip(count() if n_events is None else range(n_events), blocks, strict=False)


def parse_event(block: str, path: Path, index: int) -> pylhe.LHEEvent:
    """Parse one event block; beam particles (status -9) are dropped and mothers renumbered.

    Raises:
        InputError: the block is not a consistent event.
    """
    try:
        event = _parse_records(block)
        _check(event)
    except (ValueError, OverflowError, IndexError) as error:
        shorten = f" or shorten it with -n {index}" if index else ""
        raise InputError(f"{path}: event {index}: {error}; repair the file{shorten}") from error
    return event


def _parse_records(block: str) -> pylhe.LHEEvent:
    records = _lines_of_numbers(block)
    if not records or len(records[0].split()) < 6:
        raise ValueError("has no event line of 6 numbers (NUP IDPRUP XWGTUP SCALUP AQEDUP AQCDUP)")
    info = pylhe.LHEEventInfo.fromstring(records[0])
    particles = [pylhe.LHEParticle.fromstring(_complete(line)) for line in records[1:]]
    if len(particles) != info.nparticles:
        raise ValueError(f"NUP says {info.nparticles} particles, the block has {len(particles)}")
    return pylhe.LHEEvent(info, _without_beams(particles))


def _lines_of_numbers(block: str) -> list[str]:
    """The lines of a block without its opening tag, sub-elements (weights, scales, ...) and comments."""
    text = _DECORATION.sub("", _OPENING_TAG.sub("", block, count=1))
    lines = (line.strip() for line in _FORTRAN_EXPONENT.sub("E", text).splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _complete(line: str) -> str:
    n_fields = len(line.split())
    if n_fields < _FIELDS_OF_A_PARTICLE:
        raise ValueError(f"particle line has {n_fields} fields, want {_FIELDS_OF_A_PARTICLE}: {line[:60]!r}")
    return line


def _without_beams(particles: list[pylhe.LHEParticle]) -> list[pylhe.LHEParticle]:
    kept = [i for i, particle in enumerate(particles, 1) if particle.status != _BEAM]
    number = {0: 0} | {old: new for new, old in enumerate(kept, 1)}
    for particle in particles:
        for mother in (particle.mother1, particle.mother2):
            if not 0 <= mother <= len(particles):
                raise ValueError(f"mother {mother} out of range for an event with {len(particles)} particles")
    return [
        replace(p, mother1=number.get(p.mother1, 0), mother2=number.get(p.mother2, 0))
        for p in particles
        if p.status != _BEAM
    ]


def _check(event: pylhe.LHEEvent) -> None:
    for number, p in enumerate(event.particles, 1):
        if not all(map(math.isfinite, (p.px, p.py, p.pz, p.e, p.m, p.lifetime, p.spin))):
            raise ValueError(f"particle {number} (PDG id {p.id}) has a number that is not finite")
    if not math.isfinite(event.eventinfo.weight) or not math.isfinite(event.eventinfo.scale):
        raise ValueError(f"weight {event.eventinfo.weight} or scale {event.eventinfo.scale} is not finite")
    incoming = [p for p in event.particles if p.status == _INCOMING]
    outgoing = [p for p in event.particles if p.status == _OUTGOING]
    if len(incoming) != 2 or not outgoing:
        raise ValueError(f"has {len(incoming)} incoming and {len(outgoing)} outgoing particles, want 2 and some")
    limit = _MOMENTUM_TOLERANCE * sum(p.e for p in incoming)
    for name in ("px", "py", "pz", "e"):
        imbalance = sum(getattr(p, name) for p in outgoing) - sum(getattr(p, name) for p in incoming)
        if abs(imbalance) > limit:
            raise ValueError(f"{name} is out of balance by {imbalance:.4g} GeV, the limit is {limit:.4g} GeV")


def _check_energy(event: pylhe.LHEEvent, beams: Beams, path: Path, index: int) -> None:
    energy = sum(p.e for p in event.particles if p.status == _INCOMING)
    limit = (beams.energy_a + beams.energy_b) * (1 + _MOMENTUM_TOLERANCE)
    if energy > limit:
        raise InputError(
            f"{path}: event {index}: incoming partons have {energy:.6g} GeV, the beams {limit:.6g} GeV;"
            " repair the file"
        )


def _parse_init(block: str, path: Path) -> tuple[Beams, str]:
    try:
        info = pylhe.LHEInitInfo.fromstring(_lines_of_numbers(block)[0])
    except (ValueError, OverflowError, IndexError) as error:
        raise InputError(f"{path}: unreadable <init> block ({error}); want the 10 numbers of HEPRUP") from error
    for energy in (info.energyA, info.energyB):
        if not 0 < energy < math.inf:
            raise InputError(f"{path}: beam energy {energy} GeV in the <init> block; want a positive number")
    name = re.search(r"<generator\s[^>]*?name\s*=\s*['\"]([^'\"]*)", block)
    version = re.search(r"<generator\s[^>]*?version\s*=\s*['\"]([^'\"]*)", block)
    generator = " ".join(match[1].strip() for match in (name, version) if match)
    return Beams(info.beamA, info.beamB, info.energyA, info.energyB), generator


class _Text:
    """The text of a file from the present place on."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._rest = ""

    def until(self, pattern: re.Pattern[str], within: float = math.inf) -> tuple[str, re.Match[str]] | None:
        """Move behind the next match: the text before it and the match, or None if there is none `within` so much."""
        passed: list[str] = []
        n_passed = 0
        while (match := pattern.search(self._rest)) is None:
            passed.append(self._rest)
            n_passed += len(self._rest)
            self._rest = next(self._lines, "") if n_passed <= within else ""
            if not self._rest:
                return None
        passed.append(self._rest[: match.start()])
        self._rest = self._rest[match.end() :]
        return "".join(passed), match


def _blocks(path: Path, hashed: Callable[[bytes], None] = lambda _: None) -> Iterator[str]:
    """The init block, then every event block, as text that starts behind the name of the opening tag."""
    text = _Text(_lines(path, hashed))
    if text.until(_ROOT, within=_ROOT_WITHIN) is None:
        what = "is empty" if path.stat().st_size == 0 else "holds no <LesHouchesEvents> tag"
        raise InputError(f"{path}: {what}; want a Les Houches Event file (arXiv:hep-ph/0609017)")
    n_blocks = 0
    while found := text.until(_NEXT):
        tag = found[1][1]
        if found[1][0].startswith("</"):
            _check_end(text, path, n_blocks)
            return
        block = _block(text, tag or "comment", path, n_blocks)
        if tag == "event" and n_blocks == 0:
            raise InputError(f"{path}: has an <event> before its <init> block; want the init block first")
        if tag == "event" or (tag == "init" and n_blocks == 0):
            n_blocks += 1
            yield block
    raise _truncated(path, n_blocks)


def _block(text: _Text, tag: str, path: Path, n_blocks: int) -> str:
    found = text.until(_END[tag])
    if found is None:
        raise _truncated(path, n_blocks)
    if found[1][0].startswith("<event"):
        which = f"event {n_blocks - 1}" if tag == "event" else "its <init> block"
        raise InputError(f"{path}: {which} has no end tag before the next <event>; repair the file")
    return found[0]


def _check_end(text: _Text, path: Path, n_blocks: int) -> None:
    if n_blocks == 0:
        raise InputError(f"{path}: has no <init> block; is it a complete LHE file?")
    if text.until(_MORE):
        raise InputError(f"{path}: more than one LHE document in one file; split it, one source each")


def _truncated(path: Path, n_blocks: int) -> InputError:
    where = f"after event {n_blocks - 2}" if n_blocks > 1 else "before its first event"
    return InputError(f"{path}: truncated {where}: no </LesHouchesEvents> at the end; fetch or make the file again")


def _lines(path: Path, hashed: Callable[[bytes], None]) -> Iterator[str]:
    try:
        with _open(path) as stream:
            for line in stream:
                hashed(line)
                yield line.decode("latin-1")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{path}: corrupt or truncated gzip file ({error}); fetch or make it again") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"{path}: cannot be read ({reason}); want an LHE file, plain or gzipped") from error


def _open(path: Path) -> gzip.GzipFile | io.BufferedReader:
    with path.open("rb") as stream:
        is_gzip = stream.read(2) == _GZIP_MAGIC
    return gzip.open(path, "rb") if is_gzip else path.open("rb")
