"""Read LHE files event by event: strict about content, lenient about form.

Records are parsed with pylhe; `resim.hard_scatter.lhe_text` cuts the file.
"""

import hashlib
import math
import re
from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Final, Literal, NoReturn

import pylhe

from resim.common.errors import InputError
from resim.common.units import LHE_BEAM, LHE_INCOMING, LHE_OUTGOING
from resim.hard_scatter.lhe_text import Block, read_blocks

_FIELDS_OF_A_PARTICLE: Final = 13
_FORTRAN_EXPONENT: Final = re.compile(r"(?<=[\d.])[dD](?=[+-]?\d)")
_RESONANCES: Final = frozenset({6, 23, 24, 25, 32, 33, 34, 35, 36, 37})
"""t, Z, W, H and their heavier relatives: Pythia decays them in the process level if the file does not."""
_MOMENTUM_TOLERANCE: Final = 1e-3
"""Largest imbalance of an event as a fraction of its incoming energy; LHE files carry at least 7 digits."""

BadReason = Literal["no_start_or_end_tag", "unparsable", "not_finite", "unbalanced", "above_the_beam_energy"]
"""What can be wrong with one event of a file that is otherwise sound."""


class BadEventError(InputError):
    """One event is broken; the rest of the file may be sound."""

    def __init__(self, message: str, reason: BadReason) -> None:
        super().__init__(message)
        self.reason = reason


class _DefectError(ValueError):
    """What is wrong with an event, and in which of its records: 0 is the event line, None the event as a whole."""

    def __init__(self, message: str, reason: BadReason = "unparsable", record: int | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.record = record


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
        n_events: number of event blocks in the file, broken ones included.
        beams: the beams of the init block.
        generator: name and version that the init block gives, or an empty string.
        pdg_ids: absolute PDG ids of the outgoing and intermediate particles of the events that were parsed.
        undecayed: absolute PDG ids of heavy resonances that leave some event undecayed.
        bad_events: broken events among those that were parsed, index → reason; empty unless they are passed over.
        first_bad: message of the first of them, or an empty string.
    """

    sha256: str
    n_events: int
    beams: Beams
    generator: str
    pdg_ids: frozenset[int]
    undecayed: frozenset[int] = frozenset()
    bad_events: dict[int, BadReason] = field(default_factory=dict)
    first_bad: str = ""

    @property
    def bad_reasons(self) -> dict[BadReason, int]:
        """Number of broken events for each reason."""
        return dict(Counter(self.bad_events.values()))


def survey(path: Path, n_events: int | None = None, skip_bad: bool = False) -> Survey:
    """Read a whole file once: hash it, check that it is complete, parse its first `n_events` events (None: all).

    With `skip_bad`, a broken event is counted by its reason and passed over; a file that is truncated, corrupt, or
    has no sound event at all is an error all the same.

    Raises:
        InputError: the file is missing, empty, not LHE, corrupt or truncated.
        BadEventError: an event is broken, without `skip_bad`.
    """
    digest = hashlib.sha256()
    blocks = read_blocks(path, digest.update, broken_too=skip_bad)
    beams, generator = _parse_init(next(blocks), path)
    found: set[int] = set()
    undecayed: set[int] = set()
    bad: dict[int, BadReason] = {}
    first_bad = ""
    index = -1
    for index, block in enumerate(blocks):
        if n_events is None or index < n_events:
            try:
                event = _sound_event(block, beams, path, index)
            except BadEventError as error:
                if not skip_bad:
                    raise
                bad[index] = error.reason
                first_bad = first_bad or str(error)
            else:
                found.update(abs(particle.id) for particle in event.particles if particle.status > 0)
                outgoing = {abs(particle.id) for particle in event.particles if particle.status == LHE_OUTGOING}
                undecayed |= outgoing & _RESONANCES
    if index < 0:
        raise InputError(f"{path}: holds no event; want at least one <event> block")
    if not found:
        raise InputError(f"{path}: no sound event among {len(bad)}; the first: {first_bad}")
    ids = frozenset(found), frozenset(undecayed)
    return Survey(digest.hexdigest(), index + 1, beams, generator, *ids, bad, first_bad)


def event_blocks(
    path: Path, n_events: int | None = None, bad_events: Container[int] = ()
) -> Iterator[tuple[int, str]]:
    """Index and text of the first `n_events` event blocks (None: all), read lazily.

    Those among `bad_events`, which a survey has found, are left out; the others keep their index in the file.
    """
    blocks = read_blocks(path, broken_too=bool(bad_events))
    next(blocks)  # the init block
    for index, block in zip(count() if n_events is None else range(n_events), blocks, strict=False):
        if index not in bad_events:
            yield index, block.text


def _sound_event(block: Block, beams: Beams, path: Path, index: int) -> pylhe.LHEEvent:
    if not block.whole:
        defect = _DefectError("has no start tag or no end tag", "no_start_or_end_tag")
        _raise_bad_event(defect, block.text, path, index, block.line)
    event = parse_event(block.text, path, index, block.line)
    try:
        _check(event, beams)
    except _DefectError as defect:
        _raise_bad_event(defect, block.text, path, index, block.line)
    return event


def parse_event(block: str, path: Path, index: int, line: int | None = None) -> pylhe.LHEEvent:
    """Parse an event block of a file that `survey` has checked; beam particles (status -9) are dropped.

    Args:
        block: text of the block, as `event_blocks` gives it.
        path: the file, for messages.
        index: index of the event in the file, for messages.
        line: line of the file on which the block begins, for messages, if known.

    Raises:
        BadEventError: the block cannot be parsed.
    """
    try:
        return _parse_records(block)
    except _DefectError as defect:
        _raise_bad_event(defect, block, path, index, line)


def _raise_bad_event(defect: _DefectError, block: str, path: Path, index: int, line: int | None) -> NoReturn:
    where = path if line is None else f"{path}:{line + _line_of_record(block, defect.record)}"
    shorten = f", or shorten it with -n {index}" if index else ""
    remedy = f"repair the file, skip the event with --skip-bad-events{shorten}"
    raise BadEventError(f"{where}: event {index}: {defect}; {remedy}", defect.reason) from defect


def _records(block: str) -> list[tuple[int, str]]:
    """The lines of a block that hold numbers, and how many lines come before each."""
    lines = enumerate(_FORTRAN_EXPONENT.sub("E", block).splitlines())
    return [(place, text) for place, line in lines if (text := line.strip()) and not text.startswith("#")]


def _line_of_record(block: str, record: int | None) -> int:
    """Number of lines between the beginning of a block and one of its records; 0 for None, the block as a whole."""
    return 0 if record is None else _records(block)[record][0]


def _parse_records(block: str) -> pylhe.LHEEvent:
    records = [text for _, text in _records(block)]
    if not records or len(records[0].split()) < 6:
        raise _DefectError("has no event line of 6 numbers (NUP IDPRUP XWGTUP SCALUP AQEDUP AQCDUP)")
    particles: list[pylhe.LHEParticle] = []
    at = 0
    try:
        info = pylhe.LHEEventInfo.fromstring(records[0])
        for at, line in enumerate(records[1:], 1):  # noqa: B007 - says where it stopped
            particles.append(pylhe.LHEParticle.fromstring(_complete(line)))
    except (ValueError, OverflowError, IndexError) as error:
        raise _DefectError(str(error), record=at) from error
    if len(particles) != info.nparticles:
        raise _DefectError(f"NUP says {info.nparticles} particles, the block has {len(particles)}")
    return pylhe.LHEEvent(info, _without_beams(particles))


def _complete(line: str) -> str:
    n_fields = len(line.split())
    if n_fields < _FIELDS_OF_A_PARTICLE:
        raise ValueError(f"particle line has {n_fields} fields, want {_FIELDS_OF_A_PARTICLE}: {line[:60]!r}")
    return line


def _without_beams(particles: list[pylhe.LHEParticle]) -> list[pylhe.LHEParticle]:
    for record, particle in enumerate(particles, 1):
        for mother in (particle.mother1, particle.mother2):
            if not 0 <= mother <= len(particles):
                message = f"mother {mother} out of range for an event with {len(particles)} particles"
                raise _DefectError(message, record=record)
    kept = [i for i, particle in enumerate(particles, 1) if particle.status != LHE_BEAM]
    if len(kept) == len(particles):  # as most generators write it
        return particles
    number = {0: 0} | {old: new for new, old in enumerate(kept, 1)}
    return [
        replace(p, mother1=number.get(p.mother1, 0), mother2=number.get(p.mother2, 0))
        for p in particles
        if p.status != LHE_BEAM
    ]


def _check(event: pylhe.LHEEvent, beams: Beams) -> None:
    for number, p in enumerate(event.particles, 1):
        if not all(map(math.isfinite, (p.px, p.py, p.pz, p.e, p.m, p.lifetime, p.spin))):
            raise _DefectError(f"particle {number} (PDG id {p.id}) has a number that is not finite", "not_finite")
    info = event.eventinfo
    if not math.isfinite(info.weight) or not math.isfinite(info.scale):
        raise _DefectError(f"weight {info.weight} or scale {info.scale} is not finite", "not_finite", record=0)
    incoming = [p for p in event.particles if p.status == LHE_INCOMING]
    outgoing = [p for p in event.particles if p.status == LHE_OUTGOING]
    if len(incoming) != 2 or not outgoing:
        raise _DefectError(f"has {len(incoming)} incoming and {len(outgoing)} outgoing particles, want 2 and some")
    _check_balance(incoming, outgoing)
    energy, limit = sum(p.e for p in incoming), (beams.energy_a + beams.energy_b) * (1 + _MOMENTUM_TOLERANCE)
    if energy > limit:
        message = f"incoming partons have {energy:.6g} GeV, the beams {limit:.6g} GeV"
        raise _DefectError(message, "above_the_beam_energy")


def _check_balance(incoming: list[pylhe.LHEParticle], outgoing: list[pylhe.LHEParticle]) -> None:
    limit = _MOMENTUM_TOLERANCE * sum(p.e for p in incoming)
    for name in ("px", "py", "pz", "e"):
        imbalance = sum(getattr(p, name) for p in outgoing) - sum(getattr(p, name) for p in incoming)
        if not abs(imbalance) <= limit:  # `not <=` also rejects NaN
            message = f"{name} is out of balance by {imbalance:.4g} GeV, the limit is {limit:.4g} GeV"
            raise _DefectError(message, "unbalanced")


def _parse_init(block: Block, path: Path) -> tuple[Beams, str]:
    try:
        info = pylhe.LHEInitInfo.fromstring(_records(block.text)[0][1])
    except (ValueError, OverflowError, IndexError) as error:
        where = f"{path}:{block.line}"
        raise InputError(f"{where}: unreadable <init> block ({error}); want the 10 numbers of HEPRUP") from error
    for energy in (info.energyA, info.energyB):
        if not 0 < energy < math.inf:
            raise InputError(f"{path}: beam energy {energy} GeV in the <init> block; want a positive number")
    tags = "".join(block.elements)
    fields = [re.search(rf"<generator\s[^>]*?{field}\s*=\s*['\"]([^'\"]*)", tags) for field in ("name", "version")]
    generator = " ".join(field[1].strip() for field in fields if field)
    return Beams(info.beamA, info.beamB, info.energyA, info.energyB), generator
