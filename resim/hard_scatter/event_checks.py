"""What one event must fulfil to be showered: status, mothers, finite numbers, balance, energies, colour lines.

Pythia checks little of it: a particle that is its own mother, or of a status that it does not know, makes it read
and write memory that is not its own.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final, Literal

import pylhe

from resim.common.limits import LHE_PARTICLES
from resim.common.units import LHE_INCOMING, LHE_OUTGOING

_GLUON, _LARGEST_QUARK = 21, 8
_COLOURLESS: Final = frozenset((*range(11, 19), *range(22, 26)))
_STATUSES: Final = (-2, -1, 1, 2, 3)
"""ISTUP of arXiv:hep-ph/0109068; the beams (-9) are left out when an event is parsed."""
_LARGEST_INTEGER: Final = 2**31 - 1
"""What PDG ids and colour tags are in Fortran, and in Pythia."""
_DECAYED: Final = 2
_MOMENTUM_TOLERANCE: Final = 1e-3
"""Largest imbalance of an event as a fraction of its incoming energy; LHE files carry at least 7 digits."""

BadReason = Literal[
    "no_start_or_end_tag",
    "unparsable",
    "not_finite",
    "out_of_range",
    "mothers",
    "unbalanced",
    "above_the_beam_energy",
    "without_colours",
    "colour_lines",
]
"""What can be wrong with one event of a file that is otherwise sound."""


class DefectError(ValueError):
    """What is wrong with an event, and in which of its records: 0 is the event line, None the event as a whole."""

    def __init__(self, message: str, reason: BadReason = "unparsable", record: int | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.record = record


def check_sound(event: pylhe.LHEEvent, of_beams: Sequence[float]) -> None:
    """All the checks of one event; `of_beams`: energies of the two beams in GeV.

    Raises:
        DefectError: says what is wrong.
    """
    check_event(event)
    check_energies([p.e for p in event.particles if p.status == LHE_INCOMING], of_beams)
    check_colours(event)


def check_event(event: pylhe.LHEEvent) -> None:
    """Check what a file must get right of every event.

    Raises:
        DefectError: says what is wrong.
    """
    if len(event.particles) > LHE_PARTICLES:
        raise DefectError(f"has {len(event.particles)} particles, want {LHE_PARTICLES} at most", "out_of_range")
    for number, p in enumerate(event.particles, 1):
        _check_integers(number, p)
        if not all(map(math.isfinite, (p.px, p.py, p.pz, p.e, p.m, p.lifetime, p.spin))):
            raise DefectError(f"particle {number} (PDG id {p.id}) has a number that is not finite", "not_finite")
    info = event.eventinfo
    if not math.isfinite(info.weight) or not math.isfinite(info.scale):
        raise DefectError(f"weight {info.weight} or scale {info.scale} is not finite", "not_finite", record=0)
    incoming = [p for p in event.particles if p.status == LHE_INCOMING]
    outgoing = [p for p in event.particles if p.status == LHE_OUTGOING]
    if len(incoming) != 2 or not outgoing:
        raise DefectError(f"has {len(incoming)} incoming and {len(outgoing)} outgoing particles, want 2 and some")
    _check_balance(incoming, outgoing)


def _check_integers(number: int, p: pylhe.LHEParticle) -> None:
    """Status, PDG id, colours and mothers of a particle."""
    if p.status not in _STATUSES:
        message = f"particle {number} (PDG id {p.id}) has the status {p.status:.6g}, want one of {_STATUSES}"
        raise DefectError(message, "out_of_range")
    for name, value in (("PDG id", p.id), ("colour", p.color1), ("colour", p.color2)):
        if abs(value) > _LARGEST_INTEGER:
            message = f"particle {number} has the {name} {value:.12g}, want {_LARGEST_INTEGER} at most"
            raise DefectError(message, "out_of_range")
    if max(p.mother1, p.mother2) >= number:
        message = f"particle {number} (PDG id {p.id}) has the mothers {p.mother1} {p.mother2}, want earlier particles"
        raise DefectError(message, "mothers")


def decays_balance(event: pylhe.LHEEvent) -> bool:
    """Whether the products of every decayed particle have its momentum, within the tolerance of the whole event."""
    limit = _MOMENTUM_TOLERANCE * sum(p.e for p in event.particles if p.status == LHE_INCOMING)
    for number, decayed in enumerate(event.particles, 1):
        products = [p for p in event.particles if p.mother1 == number and p.mother2 in (0, number)]
        if decayed.status != _DECAYED or not products:
            continue
        if any(
            abs(sum(getattr(p, k) for p in products) - getattr(decayed, k)) > limit for k in ("px", "py", "pz", "e")
        ):
            return False
    return True


def _check_balance(incoming: list[pylhe.LHEParticle], outgoing: list[pylhe.LHEParticle]) -> None:
    limit = _MOMENTUM_TOLERANCE * sum(p.e for p in incoming)
    for name in ("px", "py", "pz", "e"):
        imbalance = sum(getattr(p, name) for p in outgoing) - sum(getattr(p, name) for p in incoming)
        if not abs(imbalance) <= limit:  # `not <=` also rejects NaN
            message = f"{name} is out of balance by {imbalance:.4g} GeV, the limit is {limit:.4g} GeV"
            raise DefectError(message, "unbalanced")


def check_energies(incoming: Sequence[float], of_beams: Sequence[float]) -> None:
    """Check that no incoming parton has more energy than its beam, both in GeV.

    Raises:
        DefectError: one has.
    """
    for energy, of_beam in zip(incoming, of_beams, strict=True):
        if energy > of_beam * (1 + _MOMENTUM_TOLERANCE):
            message = (
                f"an incoming parton has {energy:.6g} GeV, its beam {of_beam:.6g} GeV (x = {energy / of_beam:.4g})"
            )
            raise DefectError(message, "above_the_beam_energy")


def check_colours(event: pylhe.LHEEvent) -> None:
    """Quarks have a colour, antiquarks an anticolour, gluons both, leptons none; lines end as often as they begin.

    Lines are followed where all coloured particles are quarks and gluons: junctions and sextets have other rules.

    Raises:
        DefectError: one has not.
    """
    for number, p in enumerate(event.particles, 1):
        wanted = (p.id == _GLUON or 0 < p.id <= _LARGEST_QUARK, p.id == _GLUON or -_LARGEST_QUARK <= p.id < 0)
        if (any(wanted) or abs(p.id) in _COLOURLESS) and (p.color1 != 0, p.color2 != 0) != wanted:
            message = f"particle {number} (PDG id {p.id}) has the colours {p.color1} {p.color2}"
            raise DefectError(message, "without_colours")
    legs = [p for p in event.particles if p.status in (LHE_INCOMING, LHE_OUTGOING) and (p.color1 or p.color2)]
    if not all(p.id == _GLUON or abs(p.id) <= _LARGEST_QUARK for p in legs):
        return
    begins = Counter(p.color1 if p.status == LHE_OUTGOING else p.color2 for p in legs)
    ends = Counter(p.color2 if p.status == LHE_OUTGOING else p.color1 for p in legs)
    if odd := [tag for tag in begins.keys() | ends.keys() if tag and begins[tag] != ends[tag]]:
        tag = min(odd)
        message = f"the colour line {tag} has {begins[tag]} beginnings and {ends[tag]} ends, want as many"
        raise DefectError(message, "colour_lines")
