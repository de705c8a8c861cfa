"""Weights of the events of an LHE file: how they are meant (IDWTUP), and how they spread."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict

_EQUAL: Final = 1e-6
"""Largest relative difference of weights that count as equal: files carry 7 digits."""


class EventWeights(BaseModel):
    """What a file says of its weights (arXiv:hep-ph/0109068)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    strategy: int = 3
    """IDWTUP: ±1, ±2: to be unweighted; ±3: unit weights; ±4: weights in pb; negative: some weights are"""
    cross_section: float = 0.0
    """sum of XSECUP over the processes, pb"""
    cross_section_error: float = 0.0
    """its error from XERRUP, pb"""
    events: int = 0
    negative: int = 0
    """events whose XWGTUP is negative"""
    smallest: float = 0.0
    """smallest absolute weight"""
    largest: float = 0.0
    """largest absolute weight"""
    effective: float = 1.0
    """(sum of weights)² / (events * sum of squares): how much an event is worth beside one of weight 1"""

    @property
    def differ(self) -> bool:
        """Whether events count differently: some weights are negative, or they spread."""
        return self.negative > 0 or self.largest > self.smallest * (1 + _EQUAL)

    def __str__(self) -> str:
        """As `generate` and `inspect` say it."""
        sigma = f"cross section {self.cross_section:.4g} ± {self.cross_section_error:.2g} pb, IDWTUP {self.strategy}"
        if not self.differ:
            return f"{sigma}, equal weights"
        spread = f"|weights| {self.smallest:.3g} ... {self.largest:.3g}, {self.negative} of {self.events} negative"
        return f"{sigma}, {spread}: worth {self.effective:.1%} of as many equal ones"


@dataclass(slots=True)
class WeightSums:
    """Sums over the weights of events as they are read."""

    events: int = 0
    negative: int = 0
    total: float = 0.0
    squares: float = 0.0
    smallest: float = math.inf
    largest: float = 0.0

    def add(self, weight: float) -> None:
        """Count one more event."""
        self.events += 1
        self.negative += weight < 0
        self.total += weight
        self.squares += weight * weight
        self.smallest = min(self.smallest, abs(weight))
        self.largest = max(self.largest, abs(weight))

    def report(self, init: Sequence[Sequence[str]]) -> EventWeights:
        """The weights of the file.

        Args:
            init: words of the lines of its `<init>` block: that of the run, then one for each process.
        """
        errors = [_number(line, 1) for line in init[1:]]
        return EventWeights(
            strategy=int(_number(init[0], 8)),
            cross_section=sum(_number(line, 0) for line in init[1:]),
            cross_section_error=math.hypot(*errors),
            events=self.events,
            negative=self.negative,
            smallest=self.smallest,
            largest=self.largest,
            effective=self.total**2 / (self.events * self.squares) if self.squares > 0 else 1.0,
        )


def _number(words: Sequence[str], place: int) -> float:
    """A number of a line, 0 if there is none or it is not finite: cross sections are information, not input."""
    try:
        value = float(words[place])
    except (ValueError, IndexError):
        return 0.0
    return value if math.isfinite(value) else 0.0
