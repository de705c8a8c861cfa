"""How many rows there are, and for what reason others are lost."""

from collections import Counter
from enum import StrEnum
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field

MANY: Final = 1 / 3
"""Fraction of rows whose loss is said: beyond it a view hardly stands for what the card selects."""


class LossReason(StrEnum):
    """Why a parton is no row, or a row has no jet in a view. The first reason that applies counts."""

    doc: str
    cause: str

    def __new__(cls, value: str, doc: str, cause: str = "") -> Self:
        """A reason as files have it, what it means, and why it may take many rows."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.doc = doc
        member.cause = cause
        return member

    ALONG_THE_BEAM = "along_the_beam", "the parton has no transverse momentum"
    PARTON_PT_MIN = "parton_pt_min", "the parton's pT is below the card's cut"
    PARTON_PT_MAX = "parton_pt_max", "the parton's pT is above the card's cut"
    PARTON_ABS_ETA_MAX = "parton_abs_eta_max", "the parton's |eta| is above the card's cut"
    TAU_DECAY = "tau_decay", "the card has no label for the decay of the tau"
    ROOT_NOT_GENERATED = "root_not_generated", "the root view was given up, so the decay of the tau is not known"
    NOT_GENERATED = "not_generated", "the generator gave the event up in this view, however often it was tried"
    DECAY_CHANNEL = (
        "decay_channel",
        "the tau of the row decays in another channel than in the root view",
        "a simulator that cannot be told the channel: decays agree by chance",
    )
    JET_TAKEN = (
        "jet_taken",
        "every jet near the parton is nearer to another parton of the event",
        "jets.radius is so large that partons share a jet",
    )
    NO_JET = (
        "no_jet",
        "no jet inside the cuts lies within the matching distance of the parton",
        "jets.pt_min, pt_max or abs_eta_max cut where select does not, jets.radius or match_delta_r is too small for"
        " the decay, the decay is invisible, or the particle lives so long that it leaves the detector"
        " (ParticleDecays:limitTau0)",
    )
    EMPTY_JET = "empty_jet", "an imported jet, or the other one of its pair, has no constituents"
    UNLABELLED = "unlabelled", "an imported jet has none of the flags that the mapping card knows"
    NOT_IN_THE_FILE = "not_in_the_file", "the imported file holds another view of the jet"
    NO_PARTICLE_JET = (
        "no_particle_jet",
        "there is a reconstructed jet, but no particle-level one as the card wants it",
        "jets.particle_pt_min is above what the reconstructed jets stem from",
    )


class _Counts(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceCounts(_Counts):
    """What became of the partons of one source before any simulation."""

    events: int = 0
    """LHE events read"""
    events_with_rows: int = 0
    """events with at least one selected parton; only these are simulated"""
    partons: int = 0
    """partons or resonances of the card's kind"""
    rejected: dict[str, int] = Field(default_factory=dict)
    """partons that fail the selection, by reason"""
    rows: int = 0
    """selected partons = rows of the file"""

    def __add__(self, other: Self) -> "SourceCounts":
        """Sum of two counts."""
        return SourceCounts(
            events=self.events + other.events,
            events_with_rows=self.events_with_rows + other.events_with_rows,
            partons=self.partons + other.partons,
            rejected=dict(Counter(self.rejected) + Counter(other.rejected)),
            rows=self.rows + other.rows,
        )


class ViewCounts(_Counts):
    """What became of the rows in one view."""

    valid: int = 0
    """rows with a matched jet"""
    lost: dict[str, int] = Field(default_factory=dict)
    """rows without one, by reason"""
    retries: int = 0
    """attempts that the generator refused and that were made again with a derived seed"""

    complaint: str = ""
    """what the generator said of an event that it gave up"""

    @property
    def total(self) -> int:
        """Number of rows."""
        return self.valid + sum(self.lost.values())

    @property
    def vanished(self) -> dict[LossReason, int]:
        """Reasons that take more than a third of the rows, with their numbers; failures have a limit of their own."""
        many = MANY * self.total
        return {reason: n for reason in LossReason if (n := self.lost.get(reason, 0)) > many and reason.cause}

    def __add__(self, other: Self) -> "ViewCounts":
        """Sum of two counts."""
        return ViewCounts(
            valid=self.valid + other.valid,
            lost=dict(Counter(self.lost) + Counter(other.lost)),
            retries=self.retries + other.retries,
            complaint=self.complaint or other.complaint,
        )
