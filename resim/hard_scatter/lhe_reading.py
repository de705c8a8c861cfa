"""Read LHE files event by event: strict about content, lenient about form.

Records are parsed with pylhe; `resim.hard_scatter.lhe_text` cuts the file.
"""

import hashlib
import math
import re
from array import array
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final, NoReturn

import numpy as np
import numpy.typing as npt
import pylhe

from resim.common.errors import InputError
from resim.common.units import LHE_BEAM
from resim.hard_scatter.event_checks import BadReason, DefectError, check_sound, decays_balance
from resim.hard_scatter.event_weights import announced_weights, weights_of
from resim.hard_scatter.identity import identity_of
from resim.hard_scatter.lhe_header import read_header
from resim.hard_scatter.lhe_text import Block, EventText, read_blocks
from resim.hard_scatter.partons import undecayed_resonances
from resim.hard_scatter.weights import EventWeights, WeightSums

_FIELDS_OF_A_PARTICLE: Final = 13
_with_exponents: Final = partial(re.compile(r"(?<=[\d.])(?:[dD](?=[+-]?\d)|(?=[+-]\d{3}(?:\s|$)))").sub, "E")
"""1.0D-5, and 1.0-105: Fortran leaves out the letter before three digits."""


class BadEventError(InputError):
    """One event is broken; the rest of the file may be sound."""

    def __init__(self, message: str, reason: BadReason) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Beams:
    """The colliding beams of a file: PDG ids, and energies in GeV."""

    pdg_id_a: int
    pdg_id_b: int
    energy_a: float
    energy_b: float

    @property
    def as_pairs(self) -> tuple[tuple[int, float], tuple[int, float]]:
        """PDG id and energy in GeV of each beam."""
        return (self.pdg_id_a, self.energy_a), (self.pdg_id_b, self.energy_b)

    def __str__(self) -> str:
        """As messages name them: `2212 at 6500 GeV and 2212 at 6500 GeV`."""
        return " and ".join(f"{pdg_id} at {energy:g} GeV" for pdg_id, energy in self.as_pairs)


@dataclass(frozen=True, slots=True)
class Survey:
    """What an LHE file holds.

    Attributes:
        sha256: SHA-256 of the decompressed bytes.
        n_events: number of event blocks in the file, broken ones included.
        beams: the beams of the init block.
        generator: name and version that the init block gives, or an empty string.
        weights: what the init block and the events that were parsed say of weights.
        pdg_ids: absolute PDG ids of the outgoing and intermediate particles of the events that were parsed.
        undecayed: pairs of absolute PDG ids: a particle, and a heavy resonance that its decay leaves undecayed.
        identities: of the events that were parsed, in their order (`resim.hard_scatter.identity`).
        unbalanced_decays: number of events in which a decay does not conserve momentum.
        bad_events: broken events among those that were parsed, index → reason; empty unless they are passed over.
        first_bad: message of the first of them, or an empty string.
        announced: id → name of the weights beside XWGTUP that the file announces; empty unless they are asked for.
        weight_names: names of those that events have, in the order in which they come.
    """

    sha256: str
    n_events: int
    beams: Beams
    generator: str
    weights: EventWeights
    pdg_ids: frozenset[int]
    undecayed: frozenset[tuple[int, int]] = frozenset()
    identities: npt.NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64), compare=False)
    unbalanced_decays: int = 0
    bad_events: dict[int, BadReason] = field(default_factory=dict)
    first_bad: str = ""
    announced: dict[str, str] = field(default_factory=dict)
    weight_names: tuple[str, ...] = ()

    @property
    def bad_reasons(self) -> dict[BadReason, int]:
        """Number of broken events for each reason."""
        return dict(Counter(self.bad_events.values()))


def survey(path: Path, n_events: int | None = None, skip_bad: bool = False, all_weights: bool = False) -> Survey:
    """Read a whole file once: hash it, check that it is complete, parse its first `n_events` events (None: all).

    With `all_weights`, the weights beside XWGTUP are parsed, too. With `skip_bad`, a broken event is counted by its
    reason and passed over; a file that is truncated, corrupt, or has no sound event at all is an error all the same.

    Raises:
        InputError: the file is missing, empty, not LHE, corrupt or truncated.
        BadEventError: an event is broken, without `skip_bad`.
    """
    digest = hashlib.sha256()
    blocks = read_blocks(path, digest.update, broken_too=skip_bad)
    init = next(blocks)
    beams, generator = _parse_init(init, path)
    announced = announced_weights(read_header(path).text + init.weights) if all_weights else None
    census, index = _Census(announced=announced), -1
    for index, block in enumerate(blocks):
        if n_events is None or index < n_events:
            try:
                census.add(*_sound_event(block, beams, path, index, announced))
            except BadEventError as error:
                if not skip_bad:
                    raise
                census.bad[index] = error.reason
                census.first_bad = census.first_bad or str(error)
    if index < 0:
        raise InputError(f"{path}: holds no event; want at least one <event> block")
    if not census.pdg_ids:
        raise InputError(f"{path}: no sound event among {len(census.bad)}; the first: {census.first_bad}")
    lines = [text.split() for _, text in _records(_with_exponents(init.text))]
    return census.survey(digest.hexdigest(), index + 1, beams, generator, lines)


@dataclass(slots=True)
class _Census:
    """What the events of a file have been so far."""

    weights: WeightSums = field(default_factory=WeightSums)
    pdg_ids: set[int] = field(default_factory=set)
    undecayed: set[tuple[int, int]] = field(default_factory=set)
    identities: "array[int]" = field(default_factory=lambda: array("Q"))
    unbalanced_decays: int = 0
    bad: dict[int, BadReason] = field(default_factory=dict)
    first_bad: str = ""
    announced: dict[str, str] | None = None
    weight_names: dict[str, None] = field(default_factory=dict)

    def add(self, event: pylhe.LHEEvent, weights: Iterable[str]) -> None:
        self.weight_names |= dict.fromkeys(weights)
        self.weights.add(event.eventinfo.weight)
        self.pdg_ids.update(abs(particle.id) for particle in event.particles if particle.status > 0)
        self.undecayed |= undecayed_resonances(event)
        self.identities.append(identity_of(event))
        self.unbalanced_decays += not decays_balance(event)

    def survey(self, sha256: str, n_events: int, beams: Beams, generator: str, init: list[list[str]]) -> Survey:
        return Survey(
            sha256=sha256,
            n_events=n_events,
            beams=beams,
            generator=generator,
            weights=self.weights.report(init),
            pdg_ids=frozenset(self.pdg_ids),
            undecayed=frozenset(self.undecayed),
            identities=np.array(self.identities, np.uint64),
            unbalanced_decays=self.unbalanced_decays,
            bad_events=self.bad,
            first_bad=self.first_bad,
            announced=self.announced or {},
            weight_names=tuple(self.weight_names),
        )


def event_blocks(
    path: Path, n_events: int | None = None, bad_events: Container[int] = ()
) -> Iterator[tuple[int, str]]:
    """Index and text of events, as `event_texts` has them."""
    return ((event.index, event.text) for event in event_texts(path, n_events, bad_events))


def event_texts(path: Path, n_events: int | None = None, bad_events: Container[int] = ()) -> Iterator[EventText]:
    """The first `n_events` event blocks (None: all), read lazily.

    Those among `bad_events`, which a survey has found, are left out; the others keep their index in the file.
    """
    blocks = read_blocks(path, broken_too=bool(bad_events))
    next(blocks)  # the init block
    for index, block in zip(count() if n_events is None else range(n_events), blocks, strict=False):
        if index not in bad_events:
            yield EventText(index, block.text, block.weights)


def _sound_event(
    block: Block, beams: Beams, path: Path, index: int, announced: dict[str, str] | None
) -> tuple[pylhe.LHEEvent, Iterable[str]]:
    """The event, and the names of its weights if the announced ones are given."""
    if not block.whole:
        defect = DefectError("has no start tag or no end tag", "no_start_or_end_tag")
        _raise_bad_event(defect, block.text, path, index, block.line)
    event = parse_event(block.text, path, index, block.line)
    try:
        check_sound(event, (beams.energy_a, beams.energy_b))
        weights = weights_of(block.weights, announced) if announced is not None else ()
    except DefectError as defect:
        _raise_bad_event(defect, block.text, path, index, block.line)
    return event, weights


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
        try:
            return _parse_records(block)
        except DefectError:  # Fortran's exponents are rare, and to look for them takes time
            return _parse_records(_with_exponents(block))
    except DefectError as defect:
        _raise_bad_event(defect, block, path, index, line)


def _raise_bad_event(defect: DefectError, block: str, path: Path, index: int, line: int | None) -> NoReturn:
    where = path if line is None else f"{path}:{line + _line_of_record(block, defect.record)}"
    shorten = f", or shorten it with -n {index}" if index else ""
    remedy = f"repair the file, skip the event with --skip-bad-events{shorten}"
    raise BadEventError(f"{where}: event {index}: {defect}; {remedy}", defect.reason) from defect


def _records(block: str) -> list[tuple[int, str]]:
    """The lines of a block that hold numbers, and how many lines come before each."""
    lines = enumerate(map(str.strip, block.splitlines()))
    return [(place, text) for place, text in lines if text and not text.startswith("#")]


def _line_of_record(block: str, record: int | None) -> int:
    """Number of lines between the beginning of a block and one of its records; 0 for None, the block as a whole."""
    return 0 if record is None else _records(block)[record][0]


def _parse_records(block: str) -> pylhe.LHEEvent:
    records = [text for _, text in _records(block)]
    if not records or len(records[0].split()) < 6:
        raise DefectError("has no event line of 6 numbers (NUP IDPRUP XWGTUP SCALUP AQEDUP AQCDUP)")
    particles: list[pylhe.LHEParticle] = []
    at = 0
    try:
        info = pylhe.LHEEventInfo.fromstring(records[0])
        for at, line in enumerate(records[1:], 1):  # noqa: B007 - says where it stopped
            particles.append(pylhe.LHEParticle.fromstring(line))
    except IndexError as error:
        n_fields = len(records[at].split())
        message = f"particle line has {n_fields} fields, want {_FIELDS_OF_A_PARTICLE}: {records[at][:60]!r}"
        raise DefectError(message, record=at) from error
    except (ValueError, OverflowError) as error:
        raise DefectError(str(error), record=at) from error
    if len(particles) != info.nparticles:
        raise DefectError(f"NUP says {info.nparticles} particles, the block has {len(particles)}")
    return pylhe.LHEEvent(info, _without_beams(particles))


def _without_beams(particles: list[pylhe.LHEParticle]) -> list[pylhe.LHEParticle]:
    for record, particle in enumerate(particles, 1):
        for mother in (particle.mother1, particle.mother2):
            if not 0 <= mother <= len(particles):
                message = f"mother {mother} out of range for an event with {len(particles)} particles"
                raise DefectError(message, record=record)
    kept = [i for i, particle in enumerate(particles, 1) if particle.status != LHE_BEAM]
    if len(kept) == len(particles):  # as most generators write it
        return particles
    number = {0: 0} | {old: new for new, old in enumerate(kept, 1)}
    return [
        replace(p, mother1=number.get(p.mother1, 0), mother2=number.get(p.mother2, 0))
        for p in particles
        if p.status != LHE_BEAM
    ]


def _parse_init(block: Block, path: Path) -> tuple[Beams, str]:
    try:
        info = pylhe.LHEInitInfo.fromstring(_records(_with_exponents(block.text))[0][1])
    except (ValueError, OverflowError, IndexError) as error:
        raise InputError(f"{path}:{block.line}: unreadable <init> block ({error}), want HEPRUP's 10") from error
    for energy in (info.energyA, info.energyB):
        if not 0 < energy < math.inf:
            raise InputError(f"{path}: beam energy {energy} GeV in the <init> block; want a positive number")
    tags = "".join(block.elements)
    fields = [re.search(rf"<generator\s[^>]*?{field}\s*=\s*['\"]([^'\"]*)", tags) for field in ("name", "version")]
    generator = " ".join(field[1].strip() for field in fields if field)
    return Beams(info.beamA, info.beamB, info.energyA, info.energyB), generator
