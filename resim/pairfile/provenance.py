"""What made a file: resolved card, seeds, input hashes, versions, commit, and the counts in and out."""

import platform
import subprocess
from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field

import resim

GENERATOR_PACKAGES = ("pythia8mc", "fastjet", "pyhepmc", "pylhe", "awkward", "numba", "numpy", "h5py")
"""Distributions whose version can change an array of the file."""

NOT_GENERATED: Final = "not_generated"
"""Why a row is lost: the generator gave the event up in this view, however often it was tried."""
ROOT_NOT_GENERATED: Final = "root_not_generated"
"""Why a parton is no row: it gave the event up in the root view, so the decay of the tau is not known."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceCounts(_Record):
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


class ViewCounts(_Record):
    """What became of the rows in one view."""

    valid: int = 0
    """rows with a matched jet"""
    lost: dict[str, int] = Field(default_factory=dict)
    """rows without one, by reason"""
    retries: int = 0
    """attempts that the generator refused and that were made again with a derived seed"""

    @property
    def total(self) -> int:
        """Number of rows."""
        return self.valid + sum(self.lost.values())

    def __add__(self, other: Self) -> "ViewCounts":
        """Sum of two counts."""
        return ViewCounts(
            valid=self.valid + other.valid,
            lost=dict(Counter(self.lost) + Counter(other.lost)),
            retries=self.retries + other.retries,
        )


class SourceRecord(_Record):
    """One input file."""

    lhe: str
    """path as the card gives it"""
    sha256: str
    """SHA-256 of the decompressed bytes: together with the event index, the identity of a hard scatter"""
    events_in_file: int
    generator: str
    """generator that the init block names, or an empty string"""
    bad_events: dict[str, int] = Field(default_factory=dict)
    """broken events that were passed over, by reason"""
    counts: SourceCounts = SourceCounts()


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
    def detector(self) -> str:
        """The detector of views that do not say otherwise: a Delphes card, or `none`."""
        stage = self.card.get("detector", "none")
        return stage if isinstance(stage, str) else str(stage["card"])

    def joined(self, other: Self) -> Self:
        """The provenance of two parts of one run together."""
        sources = [
            mine.model_copy(update={"counts": mine.counts + theirs.counts})
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
        sources[source] = sources[source].model_copy(update={"counts": sources[source].counts + source_counts})
        views = {name: self.views[name] + counts for name, counts in view_counts.items()}
        return self.model_copy(update={"sources": sources, "views": views, "seconds": self.seconds + seconds})


def versions() -> dict[str, str]:
    """Versions of resim, Python and of the packages that can change an array."""
    found = {"resim": resim.__version__, "python": platform.python_version()}
    for package in GENERATOR_PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def git_state() -> tuple[str | None, bool | None]:
    """Commit of the checkout that holds this package and whether it is modified; (None, None) outside one."""
    package = Path(__file__).resolve().parent

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(package), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() != package.parent:
            return None, None
        return git("rev-parse", "HEAD"), bool(git("status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.CalledProcessError):
        return None, None


def utc_now() -> str:
    """Present time in UTC, ISO 8601 to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
