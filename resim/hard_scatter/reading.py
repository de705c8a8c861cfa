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
_OPENING = re.compile(r"<(header|init|event)(?=[\s>])")
_TAG = re.compile(r"^<[^>]*>")
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
            particles = parse_event(block, path, index).particles
            found.update(abs(particle.id) for particle in particles if particle.status > 0)
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
    except (ValueError, IndexError) as error:
        raise InputError(f"{path}: event {index}: {error}; repair the file or shorten it with -n {index}") from error
    return event


def _parse_records(block: str) -> pylhe.LHEEvent:
    text = _FORTRAN_EXPONENT.sub("E", _TAG.sub("", block, count=1))
    lines = (line.strip() for line in text.splitlines())
    records = [line for line in lines if line and not line.startswith("#")]
    end = next((i for i, line in enumerate(records) if line.startswith("<")), len(records))
    if end == 0 or len(records[0].split()) < 6:
        raise ValueError("has no event line of 6 numbers (NUP IDPRUP XWGTUP SCALUP AQEDUP AQCDUP)")
    info = pylhe.LHEEventInfo.fromstring(records[0])
    particles = [pylhe.LHEParticle.fromstring(_complete(line)) for line in records[1:end]]
    if len(particles) != info.nparticles:
        raise ValueError(f"NUP says {info.nparticles} particles, the block has {len(particles)}")
    return pylhe.LHEEvent(info, _without_beams(particles))


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


def _parse_init(block: str, path: Path) -> tuple[Beams, str]:
    text = _FORTRAN_EXPONENT.sub("E", _TAG.sub("", block, count=1))
    try:
        info = pylhe.LHEInitInfo.fromstring(text.strip().splitlines()[0])
    except (ValueError, IndexError) as error:
        raise InputError(f"{path}: unreadable <init> block ({error}); want the 10 numbers of HEPRUP") from error
    name = re.search(r"<generator\s[^>]*?name\s*=\s*['\"]([^'\"]*)", text)
    version = re.search(r"<generator\s[^>]*?version\s*=\s*['\"]([^'\"]*)", text)
    generator = " ".join(match[1].strip() for match in (name, version) if match)
    return Beams(info.beamA, info.beamB, info.energyA, info.energyB), generator


def _blocks(path: Path, hashed: Callable[[bytes], None] = lambda _: None) -> Iterator[str]:
    """The text of the init block, then of every event block, opening tag included and closing tag left out."""
    lines = _lines(path, hashed)
    _skip_to_root(lines, path)
    n_blocks = 0
    for line in lines:
        if "<" not in line:
            continue
        if "</LesHouchesEvents" in line:
            if n_blocks == 0:
                raise InputError(f"{path}: has no <init> block; is it a complete LHE file?")
            for _ in lines:
                pass  # what follows the end counts for the hash only
            return
        if "<!--" in line:
            _collect(lines, line, "-->", path, n_blocks)
        elif opening := _OPENING.search(line):
            tag = opening[1]
            block = _collect(lines, line[opening.start() :], f"</{tag}", path, n_blocks)
            if tag == "event" and n_blocks == 0:
                raise InputError(f"{path}: has an <event> before its <init> block; want the init block first")
            if tag == "event" or (tag == "init" and n_blocks == 0):
                n_blocks += 1
                yield block
    raise _truncated(path, n_blocks)


def _skip_to_root(lines: Iterator[str], path: Path) -> None:
    n_bytes = 0
    for line in lines:
        n_bytes += len(line)
        if "<LesHouchesEvents" in line:
            return
        if n_bytes > 1_000_000:
            break
    what = "holds no <LesHouchesEvents> tag" if n_bytes else "is empty"
    raise InputError(f"{path}: {what}; want a Les Houches Event file (arXiv:hep-ph/0609017)")


def _collect(lines: Iterator[str], first: str, end: str, path: Path, n_blocks: int) -> str:
    collected = [first]
    while end not in collected[-1]:
        line = next(lines, None)
        if line is None:
            raise _truncated(path, n_blocks)
        collected.append(line)
    collected[-1] = collected[-1][: collected[-1].index(end)]
    return "".join(collected)


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
