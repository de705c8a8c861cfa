"""From hard scatters to rows: select partons, realize the views, cluster, match, measure. One chunk at a time.

A chunk is a pure function of the plan and its events, so chunks can be made anywhere, in any order.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resim import schema
from resim.block import Block
from resim.clustering import Jets, cluster
from resim.config import GenerationCard
from resim.config import Jets as JetSettings
from resim.hard_scatter.partons import Label
from resim.hard_scatter.reading import Beams
from resim.matching import DECAY_CHANNEL, JET_TAKEN, NO_JET, match_partons
from resim.particles import Particles, impact_parameters, offsets_of
from resim.provenance import SourceCounts, ViewCounts
from resim.ragged import Integers, indices_of_ranges, owners_of
from resim.realization import Realization, realize
from resim.rows import Rows, hard_scatter_columns, select_rows, with_labels
from resim.substructure import substructure
from resim.views import ViewPlan
from resim.writer import Arrays, invalid_jet_columns

NOT_GENERATED = "not_generated"
"""The generator gave the event up in this view, however often it was tried."""


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
    root = realizations[plan.views[0].name]
    rows = with_labels(rows, root)
    arrays = hard_scatter_columns(rows, chunk.source, {label: i for i, label in enumerate(plan.labels)})
    counts = {}
    for view in plan.views:
        columns, counts[view.name] = _view_columns(view, realizations[view.name], root, rows, plan.card.jets)
        arrays |= {f"views/{view.name}/{path}": array for path, array in columns.items()}
    block = _block(tuple(view.name for view in plan.views), arrays)
    return ChunkResult(chunk.source, time.perf_counter() - start, block, rows.counts, counts)


def _block(views: tuple[str, ...], arrays: Arrays) -> Block:
    """The arrays with the types of the schema."""
    columns = schema.row_columns(list(views))
    for view in views:
        columns |= schema.constituent_columns(view)
    return Block(views, arrays | {path: arrays[path].astype(column.dtype) for path, column in columns.items()})


def _view_columns(
    view: ViewPlan, realization: Realization, root: Realization, rows: Rows, settings: JetSettings
) -> tuple[Arrays, ViewCounts]:
    particles = realization.particles.select(realization.particles.visible)
    jets = cluster(particles, settings)
    matched = match_partons(jets, rows.partons, rows.scatter_of_row, settings)
    made, same_decay = realization.made[rows.scatter_of_row], _same_decay(rows, realization, root)
    valid = made & same_decay & (matched.jet >= 0)
    reasons = {
        NOT_GENERATED: ~made,
        DECAY_CHANNEL: made & ~same_decay,
        JET_TAKEN: made & same_decay & matched.taken,
        NO_JET: made & same_decay & (matched.jet < 0) & ~matched.taken,
    }
    counts = ViewCounts(
        valid=int(valid.sum()),
        lost={reason: int(flags.sum()) for reason, flags in reasons.items() if flags.any()},
        retries=realization.retries if view.particles_owner == view.name else 0,
    )
    columns: Arrays = {
        "seeds/shower": realization.shower_seed[rows.scatter_of_row],
        "seeds/hadronization": realization.hadronization_seed[rows.scatter_of_row],
        "seeds/detector": np.zeros(len(valid)),
        "valid": valid,
    }
    return columns | _jet_columns(particles, jets, np.where(valid, matched.jet, -1), settings), counts


def _same_decay(rows: Rows, realization: Realization, root: Realization) -> npt.NDArray[np.bool_]:
    """Whether each row has the decay that it has in the root view, `(n_rows,)`; true for all but taus."""
    same = np.ones(len(rows.partons), dtype=bool)
    for i, (event, parton) in enumerate(zip(rows.scatter_of_row, rows.partons, strict=True)):
        if parton.tau is not None and realization.made[event]:
            decays = (realization.taus[event], root.taus[event])
            products = [taus[parton.tau].products if parton.tau < len(taus) else None for taus in decays]
            same[i] = products[0] == products[1]
    return same


def _jet_columns(particles: Particles, jets: Jets, jet_of_row: Integers, settings: JetSettings) -> Arrays:
    valid = np.flatnonzero(jet_of_row >= 0)
    matched = jet_of_row[valid]
    columns = invalid_jet_columns(len(jet_of_row))
    lengths = np.diff(jets.constituent_offsets)[matched]
    members, offsets = _sorted_members(particles, jets, matched)
    momenta = {name: getattr(particles, name)[members] for name in ("px", "py", "pz", "energy")}
    measured = {name: getattr(jets, name)[matched] for name in ("pt", "eta", "phi", "mass", "energy")}
    measured |= {"n_constituents": lengths} | substructure(offsets, momenta, settings)
    for name, values in measured.items():
        columns[name][valid] = values
    lengths_of_rows = np.zeros(len(jet_of_row), dtype=np.int64)
    lengths_of_rows[valid] = lengths
    arrays: Arrays = {f"jets/{name}": values for name, values in columns.items()}
    arrays["offsets"] = offsets_of(lengths_of_rows)
    return arrays | _constituent_columns(particles, members)


def _sorted_members(particles: Particles, jets: Jets, matched: Integers) -> tuple[Integers, Integers]:
    """Particles of the matched jets, by descending pT within each, and the jets' offsets among them."""
    lengths = np.diff(jets.constituent_offsets)[matched]
    members = jets.constituents[indices_of_ranges(jets.constituent_offsets[matched], lengths)]
    offsets = offsets_of(lengths)
    return members[np.lexsort((-particles.pt[members], owners_of(offsets)))], offsets


def _constituent_columns(particles: Particles, members: Integers) -> Arrays:
    d0, dz = impact_parameters(particles)
    columns = {name: getattr(particles, name) for name in ("pt", "eta", "phi", "energy", "charge", "pdg_id")}
    columns |= {"d0": d0, "dz": dz}
    arrays: Arrays = {f"constituents/{name}": column[members] for name, column in columns.items()}
    nothing = np.zeros(len(members))
    return arrays | {"constituents/d0_err": nothing, "constituents/dz_err": nothing}
