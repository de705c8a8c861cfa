"""From hard scatters to rows: select partons, realize the views, reconstruct their jets. One chunk at a time.

The arrays of a chunk depend on the plan and its events alone, so chunks can be made anywhere, in any order.
"""

import time

from resim.common.arrays import Arrays
from resim.hard_scatter.rows import Rows, Wanted, select_rows
from resim.jets.reconstruct_views import reconstruct
from resim.pairfile import schema
from resim.pairfile.columns import hard_scatter_columns, view_columns, weight_columns
from resim.pairfile.row_block import RowBlock
from resim.run.chunks import Chunk, ChunkResult, Plan, SourcePlan
from resim.shower.pythia import pythia_for
from resim.shower.resonances import ResonanceDecays
from resim.shower.simulate_views import Realization, realize, unseen_products, with_labels


def process(plan: Plan, chunk: Chunk) -> ChunkResult:
    """Simulate one chunk: all views of all selected partons."""
    start = time.perf_counter()
    rows, realizations = realized(plan, chunk)
    arrays = hard_scatter_columns(rows, chunk.source, {label: i for i, label in enumerate(plan.labels)})
    if plan.weight_names is not None:
        arrays |= weight_columns(rows, plan.weight_names)
    counts = {}
    for found in reconstruct(plan.views, realizations, rows, plan.card.jets, plan.seed):
        counts[found.view.name] = found.counts
        columns = view_columns(found, rows, plan.card.jets)
        arrays |= {f"views/{found.view.name}/{path}": array for path, array in columns.items()}
    return ChunkResult(chunk.source, time.perf_counter() - start, _block(plan, arrays), rows.counts, counts)


def realized(plan: Plan, chunk: Chunk) -> tuple[Rows, dict[str, Realization]]:
    """The rows of one chunk, and name of the view → its particles."""
    source = plan.sources[chunk.source]
    unseen = unseen_products(plan.views[0], source.beams, source.slha)
    announced = None if plan.weight_names is None else source.announced
    wanted = Wanted(source.labels, plan.card.select, unseen, _decays(plan, source), announced)
    rows = select_rows(chunk.events, source.path, source.sha256, wanted)
    realizations = realize(rows.scatters, plan.views, source.beams, plan.seed, source.slha)
    return with_labels(rows, realizations[plan.views[0].name]), realizations


def _decays(plan: Plan, source: SourcePlan) -> ResonanceDecays | None:
    """What decays the resonances of the hard scatters once for all views, if the card asks for that."""
    if plan.card.decay != "frozen":
        return None
    root = plan.views[0].generator
    particles = tuple(line for line in root.lines if line[0].isdigit()) if root.name == "pythia8" else ()
    pythia = pythia_for(source.beams, (*particles, "PartonLevel:all = off"), source.slha)
    return ResonanceDecays(pythia, plan.seed, source.sha256)


def _block(plan: Plan, arrays: Arrays) -> RowBlock:
    """The arrays with the types of the schema."""
    views, jets = tuple(view.name for view in plan.views), plan.card.jets
    weights = plan.weight_names is not None
    layout = schema.Layout(views, vertices=jets.vertices is not None, weights=weights, cells=jets.cells)
    columns = layout.row_columns()
    for group in layout.ragged_groups():
        columns |= group.columns
    return RowBlock(views, arrays | {path: arrays[path].astype(column.dtype) for path, column in columns.items()})
