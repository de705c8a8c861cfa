"""What goes to a worker and what comes back. Imports neither Pythia nor FastJet, which the parent does not need."""

from dataclasses import dataclass
from pathlib import Path

from resim.card.generation_card import GenerationCard
from resim.card.view_plan import ViewPlan
from resim.common.row_counts import SourceCounts, ViewCounts
from resim.hard_scatter.lhe_reading import Beams
from resim.hard_scatter.partons import Label
from resim.pairfile.row_block import RowBlock


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """One source of a run.

    Attributes:
        path: the LHE file.
        sha256: its identity.
        beams: its beams.
        labels: |PDG id| → label.
        bad_events: indices of broken events, which are passed over.
        slha: what the file's header says of particles.
    """

    path: Path
    sha256: str
    beams: Beams
    labels: dict[int, Label]
    bad_events: frozenset[int] = frozenset()
    slha: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a worker needs to know of a run."""

    card: GenerationCard
    seed: int
    sources: tuple[SourcePlan, ...]
    views: tuple[ViewPlan, ...]

    @property
    def labels(self) -> list[str]:
        """Class names of the run, sorted; the file stores indices into this list."""
        return sorted({label for source in self.card.sources for label in source.labels})


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive events of one source, as text.

    Attributes:
        number: position among the chunks of the run.
        source: index of the source.
        events: (index in the file, text of the event block).
    """

    number: int
    source: int
    events: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """Rows and counts of one chunk, the index of its source, and the seconds it took."""

    source: int
    seconds: float
    block: RowBlock
    source_counts: SourceCounts
    view_counts: dict[str, ViewCounts]
