"""What one event must fulfil to be showered: finite numbers, balance, energies below the beams', colours."""

import math
from collections.abc import Sequence
from typing import Final, Literal

import pylhe

from resim.common.units import LHE_INCOMING, LHE_OUTGOING

_GLUON, _LARGEST_QUARK = 21, 8
_MOMENTUM_TOLERANCE: Final = 1e-3
"""Largest imbalance of an event as a fraction of its incoming energy; LHE files carry at least 7 digits."""

BadReason = Literal[
    "no_start_or_end_tag", "unparsable", "not_finite", "unbalanced", "above_the_beam_energy", "without_colours"
]
"""What can be wrong with one event of a file that is otherwise sound."""


class DefectError(ValueError):
    """What is wrong with an event, and in which of its records: 0 is the event line, None the event as a whole."""

    def __init__(self, message: str, reason: BadReason = "unparsable", record: int | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.record = record


def check_event(event: pylhe.LHEEvent) -> None:
    """Check what a file must get right of every event.

    Raises:
        DefectError: says what is wrong.
    """
    for number, p in enumerate(event.particles, 1):
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
    """Quarks have a colour, antiquarks an anticolour, gluons both: no generator could shower them else.

    Raises:
        DefectError: one has not.
    """
    for number, p in enumerate(event.particles, 1):
        wanted = (p.id == _GLUON or 0 < p.id <= _LARGEST_QUARK, p.id == _GLUON or -_LARGEST_QUARK <= p.id < 0)
        if any(wanted) and (p.color1 != 0, p.color2 != 0) != wanted:
            message = f"particle {number} (PDG id {p.id}) has the colours {p.color1} {p.color2}"
            raise DefectError(message, "without_colours")
