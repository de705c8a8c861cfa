"""What made a file: resolved card, seeds, input hashes, versions, commit, and the counts in and out."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from resim.common.row_counts import SourceCounts, ViewCounts


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceRecord(_Record):
    """One input file."""

    lhe: str
    """path as the card gives it"""
    sha256: str
    """SHA-256 of the decompressed bytes: with the event index, where a hard scatter's seeds come from"""
    events_in_file: int
    generator: str
    """generator that the init block names, or an empty string"""
    beams: tuple[tuple[int, float], ...] = ()
    """PDG id and energy in GeV of each beam; empty in files of earlier versions"""
    weights: dict[str, float] = Field(default_factory=dict)
    """cross section, IDWTUP and spread of the events' weights (`resim.hard_scatter.weights.EventWeights`)"""
    matching: str = ""
    """the matching or merging that the file was made for, if `--ignore-matching` passed over it"""
    repeats: int = 0
    """events that equal an earlier one of the file, or one of an earlier source"""
    bad_events: dict[str, int] = Field(default_factory=dict)
    """broken events that were passed over, by reason"""
    counts: SourceCounts = SourceCounts()
    views: dict[str, ViewCounts] = Field(default_factory=dict)
    """what became of its rows in every view; empty in files of earlier versions"""

    def counting(self, counts: SourceCounts, views: Mapping[str, ViewCounts]) -> Self:
        """The same with more counts."""
        summed = {name: self.views.get(name, ViewCounts()) + more for name, more in views.items()}
        return self.model_copy(update={"counts": self.counts + counts, "views": self.views | summed})

    def vanished(self) -> list[str]:
        """One sentence for each view and reason that takes more than a third of the rows, with the likely cause."""
        return [
            f"view {name}: {n} of {counts.total} rows of {self.lhe} are lost: {reason.doc}; likely: {reason.cause}"
            for name, counts in self.views.items()
            for reason, n in counts.vanished.items()
        ]


class Provenance(_Record):
    """Everything needed to say how a pair file came about, and to make it again."""

    card: dict[str, Any]
    """generation card with every default filled in"""
    run_key: str
    """digest of all that determines the arrays of the whole run: equal keys, equal arrays"""
    shard: str = "1/1"
    """which part of the run this file holds"""
    seed: int
    n_events: int | None
    """events read per source; None means all"""
    sources: list[SourceRecord]
    views: dict[str, ViewCounts]
    versions: dict[str, str]
    commit: str | None
    dirty: bool | None
    created: str
    """UTC time at which the file was finished, ISO 8601"""
    seconds: float
    """worker time spent on simulation, summed over all chunks"""
    workers: int

    @property
    def imported(self) -> bool:
        """Whether the jets are others', read by `resim import`: `card` is the mapping card then."""
        return "columns" in self.card

    @property
    def detector(self) -> str:
        """The detector of views that do not say otherwise: a Delphes card, or `none`; `not known` if imported."""
        if self.imported:
            return "not known"
        stage = self.card.get("detector", "none")
        return stage if isinstance(stage, str) else str(stage["card"])

    def joined(self, other: Self) -> Self:
        """The provenance of two parts of one run together."""
        sources = [
            mine.counting(theirs.counts, theirs.views)
            for mine, theirs in zip(self.sources, other.sources, strict=True)
        ]
        views = {name: counts + other.views[name] for name, counts in self.views.items()}
        seconds = self.seconds + other.seconds
        return self.model_copy(update={"sources": sources, "views": views, "seconds": seconds})

    def counting(
        self, source: int, source_counts: SourceCounts, view_counts: dict[str, ViewCounts], seconds: float
    ) -> Self:
        """The same with the counts and the time of one more chunk of the source with this index."""
        sources = list(self.sources)
        sources[source] = sources[source].counting(source_counts, view_counts)
        views = {name: self.views[name] + counts for name, counts in view_counts.items()}
        return self.model_copy(update={"sources": sources, "views": views, "seconds": self.seconds + seconds})
