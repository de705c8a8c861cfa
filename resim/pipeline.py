"""From hard scatters to rows: select partons, realize the views, reconstruct their jets. One chunk at a time.

A chunk is a pure function of the plan and its events, so chunks can be made anywhere, in any order.
"""

import time
from dataclasses import dataclass
from pathlib import Path

from resim import schema
from resim.block import Block
from resim.config import GenerationCard
from resim.hard_scatter.partons import Label
from resim.hard_scatter.reading import Beams
from resim.provenance import SourceCounts, ViewCounts
from resim.realization import realize
from resim.reconstruction import reconstruct
from resim.rows import hard_scatter_columns, select_rows, with_labels
from resim.views import ViewPlan
from resim.writer import Arrays


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """One source of a run: file, identity, beams, and |PDG id| → label."""

    path: Path
    sha256: str
    beams: Beams
    labels: dict[int, Label]


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
    block: Block
    source_counts: SourceCounts
    view_counts: dict[str, ViewCounts]


def process(plan: Plan, chunk: Chunk) -> ChunkResult:
    """Simulate one chunk: all views of all selected partons."""
    start = time.perf_counter()
    source = plan.sources[chunk.source]
    rows = select_rows(chunk.events, source.path, source.sha256, source.labels, plan.card.select)
    realizations = realize(rows.scatters, plan.views, source.beams, plan.seed)
    rows = with_labels(rows, realizations[plan.views[0].name])
    arrays = hard_scatter_columns(rows, chunk.source, {label: i for i, label in enumerate(plan.labels)})
    counts = {}
    for view, columns, view_counts in reconstruct(plan.views, realizations, rows, plan.card.jets, plan.seed):
        counts[view.name] = view_counts
        arrays |= {f"views/{view.name}/{path}": array for path, array in columns.items()}
    block = _block(tuple(view.name for view in plan.views), arrays)
    return ChunkResult(chunk.source, time.perf_counter() - start, block, rows.counts, counts)


def _block(views: tuple[str, ...], arrays: Arrays) -> Block:
    """The arrays with the types of the schema."""
    columns = schema.row_columns(list(views))
    for view in views:
        columns |= schema.constituent_columns(view)
    return Block(views, arrays | {path: arrays[path].astype(column.dtype) for path, column in columns.items()})
