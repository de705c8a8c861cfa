"""What goes to a worker and what comes back. Imports neither Pythia nor FastJet, which the parent does not need."""

from dataclasses import dataclass, field
from pathlib import Path

from resim.card.generation_card import GenerationCard
from resim.card.view_plan import ViewPlan
from resim.common.row_counts import SourceCounts, ViewCounts
from resim.hard_scatter.lhe_reading import Beams
from resim.hard_scatter.lhe_text import EventText
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
        announced: id → name of the weights beside XWGTUP that the file announces; empty if none are kept.
    """

    path: Path
    sha256: str
    beams: Beams
    labels: dict[int, Label]
    bad_events: frozenset[int] = frozenset()
    slha: str = ""
    announced: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a worker needs to know of a run.

    Attributes:
        card: what to make.
        seed: of the run.
        sources: where the hard scatters are.
        views: what is made of them.
        weight_names: weights of events beside XWGTUP that are kept, by which the file numbers them; None for none.
    """

    card: GenerationCard
    seed: int
    sources: tuple[SourcePlan, ...]
    views: tuple[ViewPlan, ...]
    weight_names: tuple[str, ...] | None = None

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
        events: the event blocks.
    """

    number: int
    source: int
    events: tuple[EventText, ...]


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """Rows and counts of one chunk, the index of its source, and the seconds it took."""

    source: int
    seconds: float
    block: RowBlock
    source_counts: SourceCounts
    view_counts: dict[str, ViewCounts]
