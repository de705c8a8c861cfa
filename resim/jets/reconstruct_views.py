"""From the particles of a view to the columns of its rows: detector, clustering, matching, substructure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from resim.card.generation_card import Jets as JetSettings
from resim.card.view_plan import SLICE_EVENTS, DetectorPlan, ViewPlan
from resim.common.errors import InputError
from resim.common.ragged import Integers, indices_of_ranges, owners_of
from resim.common.seeds import SeedKey, pythia_seed
from resim.detector import Detector
from resim.detector.delphes_backend import Delphes
from resim.detector.pileup import PileUp
from resim.detector.pool import Pool
from resim.hard_scatter.rows import Rows
from resim.jets.clustering import Jets, cluster
from resim.jets.matching import DECAY_CHANNEL, JET_TAKEN, NO_JET, Match, delta_r, match_partons
from resim.jets.substructure import substructure
from resim.pairfile import schema
from resim.pairfile.provenance import NOT_GENERATED, ViewCounts
from resim.pairfile.writer import Arrays, invalid_jet_columns
from resim.particles import Candidates, Particles, impact_parameters, offsets_of
from resim.shower.simulate_views import Realization

NO_PARTICLE_JET: Final = "no_particle_jet"
"""There is a reconstructed jet, but no particle-level one as the card wants it."""

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Level:
    """Jets of one level, of generated particles or of a detector's candidates, and which of them the rows have."""

    particles: Particles
    jets: Jets
    matched: Match


def reconstruct(
    views: Sequence[ViewPlan],
    realizations: Mapping[str, Realization],
    rows: Rows,
    settings: JetSettings,
    run_seed: int,
) -> Iterator[tuple[ViewPlan, Arrays, ViewCounts]]:
    """Find the jets of the rows in every view.

    Args:
        views: the plan, the root first.
        realizations: name of the view → its particles.
        rows: the rows.
        settings: clustering, matching, substructure.
        run_seed: the run's seed.

    Yields:
        A view, its columns by their path below the view's group, and what became of the rows.
    """
    root = realizations[views[0].name]
    generated: dict[str, _Level] = {}
    smallest = settings.pt_min if settings.particle_pt_min is None else settings.particle_pt_min
    for view in views:
        realization = realizations[view.name]
        if view.particles_owner not in generated:
            visible = realization.particles.select(realization.particles.visible)
            generated[view.particles_owner] = _level(visible, rows, settings.model_copy(update={"pt_min": smallest}))
        truth = generated[view.particles_owner]
        seeds = _detector_seeds(view, rows, run_seed)
        level = (
            _level(detector_for(view.detector).run(truth.particles, seeds), rows, settings)
            if view.detector
            else truth
        )
        if view.detector:
            truth = _belonging(truth, level, settings.radius)
        elif smallest < settings.pt_min:
            level = _level(truth.particles, rows, settings)
        reasons = _losses(realization, root, rows, (truth, level), settings)
        valid = ~np.any(list(reasons.values()), axis=0)
        counts = ViewCounts(
            valid=int(valid.sum()),
            lost={reason: int(flags.sum()) for reason, flags in reasons.items() if flags.any()},
            retries=realization.retries if view.particles_owner == view.name else 0,
        )
        columns: Arrays = {
            "seeds/shower": realization.shower_seed[rows.scatter_of_row],
            "seeds/hadronization": realization.hadronization_seed[rows.scatter_of_row],
            "seeds/detector": seeds[rows.scatter_of_row],
            "valid": valid,
        }
        columns |= _jet_columns(level, valid, settings) | _particle_jet_columns(truth, valid)
        yield view, columns, counts


def _level(particles: Particles, rows: Rows, settings: JetSettings) -> _Level:
    jets = cluster(particles, settings)
    found = match_partons(jets, rows.candidates, rows.scatter_of_candidate, settings)
    n_rows = len(rows.partons)
    return _Level(particles, jets, Match(found.jet[:n_rows], found.taken[:n_rows]))


def _belonging(truth: _Level, level: _Level, radius: float) -> _Level:
    """The particle level with only such matches as lie inside the radius of the row's reconstructed jet."""
    jet = truth.matched.jet.copy()
    both = np.flatnonzero((jet >= 0) & (level.matched.jet >= 0))
    ours, theirs = (jets.jets for jets in (level, truth))
    a, b = level.matched.jet[both], jet[both]
    apart = delta_r(ours.rapidity[a], ours.phi[a], theirs.rapidity[b], theirs.phi[b]) >= radius
    jet[both[apart]] = -1
    return replace(truth, matched=replace(truth.matched, jet=jet))


def _detector_seeds(view: ViewPlan, rows: Rows, run_seed: int) -> npt.NDArray[np.uint32]:
    """One seed for every hard scatter, the same for a slice that one run of a program makes; 0 without a detector."""
    if view.detector is None:
        return np.zeros(len(rows.scatters), dtype=np.uint32)
    length = SLICE_EVENTS if view.detector.backend == "delphes" else 1
    places = ((scatter.sha256, scatter.index // length * length) for scatter in rows.scatters)
    seeds = [pythia_seed(SeedKey(run_seed, sha256, first, view.name, "detector")) for sha256, first in places]
    return np.array(seeds, dtype=np.uint32)


@lru_cache(maxsize=8)
def detector_for(stage: DetectorPlan) -> Detector | Delphes:
    """The process's detector of a stage: reading a card takes time.

    Raises:
        InputError: the card or the pool is wrong, pile-up is where the card has no place for it, or missing, or the
            program that runs it is.
    """
    if DetectorPlan.of(stage.stage) != stage:
        raise InputError(f"{stage.card}: its content or that of the pool has changed since the run began; restore it")
    if stage.backend == "delphes":
        return Delphes.from_card(stage.card)
    pileup = PileUp(stage.pileup.mu, Pool.open(stage.pileup.pool)) if stage.pileup else None
    detector = Detector.from_card(stage.card, pileup)
    detector.require_pileup()
    return detector


def _losses(
    realization: Realization, root: Realization, rows: Rows, levels: tuple[_Level, _Level], settings: JetSettings
) -> dict[str, Flags]:
    """Why rows are lost, each for one reason: the first that applies. Flags `(n_rows,)`."""
    truth, level = (of.matched for of in levels)
    wants_truth = settings.particle_pt_min is not None
    reasons = {
        NOT_GENERATED: ~realization.made[rows.scatter_of_row],
        DECAY_CHANNEL: ~_same_decay(rows, realization, root),
        JET_TAKEN: level.taken,
        NO_JET: level.jet < 0,
        NO_PARTICLE_JET: (truth.jet < 0) & wants_truth,
    }
    free = np.ones(len(rows.partons), dtype=bool)
    for reason, flags in reasons.items():
        reasons[reason] = flags & free
        free &= ~flags
    return reasons


def _same_decay(rows: Rows, realization: Realization, root: Realization) -> Flags:
    """Whether each row has the decay that it has in the root view, `(n_rows,)`; true for all but taus."""
    same = np.ones(len(rows.partons), dtype=bool)
    for i, (event, parton) in enumerate(zip(rows.scatter_of_row, rows.partons, strict=True)):
        if parton.tau is not None and realization.made[event]:
            decays = (realization.taus[event], root.taus[event])
            known = parton.tau < min(map(len, decays))
            same[i] = known and decays[0][parton.tau].same_as(decays[1][parton.tau])
    return same


def _jet_columns(level: _Level, is_valid: Flags, settings: JetSettings) -> Arrays:
    valid = np.flatnonzero(is_valid)
    jets, matched = level.jets, level.matched.jet[valid]
    columns = invalid_jet_columns(len(is_valid))
    members, offsets = _sorted_members(level.particles, jets, matched)
    momenta = {name: getattr(level.particles, name)[members] for name in ("px", "py", "pz", "energy")}
    lengths = np.diff(offsets)
    measured = {name: getattr(jets, name)[matched] for name in ("pt", "eta", "phi", "mass", "energy")}
    measured |= {"n_constituents": lengths} | substructure(offsets, momenta, settings)
    for name, values in measured.items():
        columns[name][valid] = values
    lengths_of_rows = np.zeros(len(is_valid), dtype=np.int64)
    lengths_of_rows[valid] = lengths
    arrays: Arrays = {f"jets/{name}": values for name, values in columns.items()}
    arrays["offsets"] = offsets_of(lengths_of_rows)
    return arrays | _constituent_columns(level.particles, members)


def _particle_jet_columns(truth: _Level, valid: Flags) -> Arrays:
    some = valid & (truth.matched.jet >= 0)
    columns: Arrays = {}
    for column in schema.PARTICLE_JETS:
        values = np.full(len(valid), np.nan)
        values[some] = getattr(truth.jets, column.name)[truth.matched.jet[some]]
        columns[f"particle_jets/{column.name}"] = values
    return columns


def _sorted_members(particles: Particles, jets: Jets, matched: Integers) -> tuple[Integers, Integers]:
    """Particles of the matched jets, by descending pT within each, and the jets' offsets among them."""
    lengths = np.diff(jets.constituent_offsets)[matched]
    members = jets.constituents[indices_of_ranges(jets.constituent_offsets[matched], lengths)]
    offsets = offsets_of(lengths)
    return members[np.lexsort((-particles.pt[members], owners_of(offsets)))], offsets


def _constituent_columns(particles: Particles, members: Integers) -> Arrays:
    columns = {name: getattr(particles, name) for name in ("pt", "eta", "phi", "energy", "charge", "pdg_id")}
    if isinstance(particles, Candidates):
        columns |= {name: getattr(particles, name) for name in ("d0", "d0_err", "dz", "dz_err")}
    else:
        d0, dz = impact_parameters(particles)
        columns |= {"d0": d0, "dz": dz, "d0_err": np.zeros_like(d0), "dz_err": np.zeros_like(dz)}
    return {f"constituents/{name}": column[members] for name, column in columns.items()}
