"""From hard scatters to rows: select partons, realize the views, cluster, match, measure. One chunk at a time.

A chunk is a pure function of the plan and its events, so chunks can be made anywhere, in any order.
"""

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from resim import schema
from resim.block import Block
from resim.clustering import Integers, Jets, cluster
from resim.config import GenerationCard
from resim.config import Jets as JetSettings
from resim.hard_scatter.partons import Parton, find_partons, rejection
from resim.hard_scatter.reading import Beams, parse_event
from resim.matching import JET_TAKEN, NO_JET, delta_r, match
from resim.particles import Particles, impact_parameters, offsets_of
from resim.provenance import SourceCounts, ViewCounts
from resim.realization import HardScatter, Realization, realize
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
    labels: dict[int, str]


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
        return sorted({label for source in self.card.sources for label in source.rows.values()})


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


@dataclass(frozen=True, slots=True)
class _Rows:
    """Selected partons of a chunk: their scatters, and for each row its scatter's position and its parton."""

    scatters: list[HardScatter]
    scatter_of_row: Integers
    partons: list[Parton]
    counts: SourceCounts


def process(plan: Plan, chunk: Chunk) -> ChunkResult:
    """Simulate one chunk: all views of all selected partons."""
    start = time.perf_counter()
    source = plan.sources[chunk.source]
    rows = _select_rows(plan, source, chunk)
    arrays = _hard_scatter_columns(plan, rows, chunk.source)
    counts = {}
    realizations = realize(rows.scatters, plan.views, source.beams, plan.seed)
    for name, realization in realizations.items():
        columns, counts[name] = _view_columns(realization, rows, plan.card.jets)
        arrays |= {f"views/{name}/{path}": array for path, array in columns.items()}
    names = [view.name for view in plan.views]
    columns_of_file = schema.row_columns(names)
    for name in names:
        columns_of_file |= schema.constituent_columns(name)
    for path, column in columns_of_file.items():
        arrays[path] = arrays[path].astype(column.dtype)
    block = Block(tuple(names), arrays)
    return ChunkResult(chunk.source, time.perf_counter() - start, block, rows.counts, counts)


def _select_rows(plan: Plan, source: SourcePlan, chunk: Chunk) -> _Rows:
    scatters: list[HardScatter] = []
    scatter_of_row: list[int] = []
    selected: list[Parton] = []
    rejected: Counter[str] = Counter()
    n_partons = 0
    for index, text in chunk.events:
        event = parse_event(text, source.path, index)
        partons = find_partons(event, source.labels)
        n_partons += len(partons)
        reasons = [rejection(parton, plan.card.select) for parton in partons]
        rejected.update(reason for reason in reasons if reason)
        passed = [parton for parton, reason in zip(partons, reasons, strict=True) if reason is None]
        if passed:
            scatter_of_row += [len(scatters)] * len(passed)
            scatters.append(HardScatter(source.sha256, index, event))
            selected += passed
    counts = SourceCounts(
        events=len(chunk.events),
        events_with_rows=len(scatters),
        partons=n_partons,
        rejected=dict(rejected),
        rows=len(selected),
    )
    return _Rows(scatters, np.array(scatter_of_row, dtype=np.int64), selected, counts)


def _hard_scatter_columns(plan: Plan, rows: _Rows, source: int) -> Arrays:
    number = {label: i for i, label in enumerate(plan.labels)}
    events = [rows.scatters[i] for i in rows.scatter_of_row]
    columns = {
        "event": [scatter.index for scatter in events],
        "source": [source] * len(events),
        "label": [number[parton.label] for parton in rows.partons],
        "weight": [scatter.event.eventinfo.weight for scatter in events],
        "parton_pdg_id": [parton.pdg_id for parton in rows.partons],
        "parton_pt": [parton.pt for parton in rows.partons],
        "parton_eta": [parton.eta for parton in rows.partons],
        "parton_phi": [parton.phi for parton in rows.partons],
        "parton_mass": [parton.mass for parton in rows.partons],
    }
    return {f"hard_scatter/{name}": np.array(values) for name, values in columns.items()}


def _view_columns(realization: Realization, rows: _Rows, settings: JetSettings) -> tuple[Arrays, ViewCounts]:
    particles = realization.particles.select(realization.particles.visible)
    jets = cluster(particles, settings)
    jet_of_row, taken = _match_rows(jets, rows, settings.match_delta_r)
    made = realization.made[rows.scatter_of_row]
    valid = jet_of_row >= 0
    reasons = {NOT_GENERATED: ~made, JET_TAKEN: made & taken, NO_JET: made & ~valid & ~taken}
    counts = ViewCounts(
        valid=int(valid.sum()),
        lost={reason: int(flags.sum()) for reason, flags in reasons.items() if flags.any()},
        retries=realization.retries,
    )
    columns: Arrays = {
        "seeds/shower": realization.shower_seed[rows.scatter_of_row],
        "seeds/hadronization": realization.hadronization_seed[rows.scatter_of_row],
        "seeds/detector": np.zeros(len(valid)),
        "valid": valid,
    }
    return columns | _jet_columns(particles, jets, jet_of_row, settings.radius), counts


def _match_rows(jets: Jets, rows: _Rows, largest: float) -> tuple[Integers, Integers]:
    """Index of every row's jet or -1, and whether other partons took the jets near it; both `(n_rows,)`."""
    jet_of_row = np.full(len(rows.partons), -1, dtype=np.int64)
    taken = np.zeros(len(rows.partons), dtype=bool)
    four = np.array([(p.px, p.py, p.pz, p.energy) for p in rows.partons]).reshape(-1, 4).T
    rapidity, phi = np.arctanh(four[2] / four[3]), np.arctan2(four[1], four[0])
    jet_rapidity, jet_phi = jets.rapidity, jets.phi
    for i in range(len(rows.scatters)):
        here = np.flatnonzero(rows.scatter_of_row == i)
        near = slice(jets.offsets[i], jets.offsets[i + 1])
        distance = delta_r(rapidity[here, None], phi[here, None], jet_rapidity[near], jet_phi[near])
        matched = match(distance, largest)
        jet_of_row[here] = np.where(matched.jet < 0, -1, matched.jet + jets.offsets[i])
        taken[here] = matched.taken
    return jet_of_row, taken


def _jet_columns(particles: Particles, jets: Jets, jet_of_row: Integers, radius: float) -> Arrays:
    valid = np.flatnonzero(jet_of_row >= 0)
    matched = jet_of_row[valid]
    columns = invalid_jet_columns(len(jet_of_row))
    lengths = np.diff(jets.constituent_offsets)[matched]
    members, offsets = _sorted_members(particles, jets, matched)
    momenta = {name: getattr(particles, name)[members] for name in ("px", "py", "pz", "energy")}
    measured = {name: getattr(jets, name)[matched] for name in ("pt", "eta", "phi", "mass", "energy")}
    measured |= {"n_constituents": lengths} | substructure(offsets, momenta, radius)
    for name, values in measured.items():
        columns[name][valid] = values
    lengths_of_rows = np.zeros(len(jet_of_row), dtype=np.int64)
    lengths_of_rows[valid] = lengths
    arrays: Arrays = {f"jets/{name}": values for name, values in columns.items()}
    arrays["offsets"] = offsets_of(lengths_of_rows)
    return arrays | _constituent_columns(particles, members)


def _sorted_members(particles: Particles, jets: Jets, matched: Integers) -> tuple[Integers, Integers]:
    """Particles of the matched jets, by descending pT within each, and the jets' offsets among them."""
    pt = particles.pt
    members = [jets.constituents[jets.constituent_offsets[j] : jets.constituent_offsets[j + 1]] for j in matched]
    ordered = [m[np.argsort(-pt[m], kind="stable")] for m in members]
    return np.concatenate([np.empty(0, np.int64), *ordered]), offsets_of([len(m) for m in members])


def _constituent_columns(particles: Particles, members: Integers) -> Arrays:
    d0, dz = impact_parameters(particles)
    columns = {name: getattr(particles, name) for name in ("pt", "eta", "phi", "energy", "charge", "pdg_id")}
    columns |= {"d0": d0, "dz": dz}
    arrays: Arrays = {f"constituents/{name}": column[members] for name, column in columns.items()}
    nothing = np.zeros(len(members))
    return arrays | {"constituents/d0_err": nothing, "constituents/dz_err": nothing}
