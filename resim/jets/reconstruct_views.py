"""From the particles of a view to the columns of its rows: detector, clustering, matching, substructure.

Every row has up to two jets in a view. Its jet at particle level is clustered from the generated particles, its jet
at detector level from what the detector measures of them. Without a detector both levels are the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from resim.card.calorimeter_card import is_calorimeter_card
from resim.card.jet_settings import JetSettings
from resim.card.view_plan import DetectorPlan, ViewPlan
from resim.common.arrays import Booleans, Integers
from resim.common.errors import InputError
from resim.common.ragged import owners_of
from resim.common.row_counts import LossReason, ViewCounts
from resim.common.seeds import SeedKey, Stage, pythia_seed
from resim.detector import Detector
from resim.detector.cells.cell_detector import CellDetector
from resim.detector.cells.cocoa_backend import Cocoa
from resim.detector.cells.readout import Readout
from resim.detector.delphes_backend import Delphes
from resim.detector.pileup import PileUp
from resim.detector.pool import Pool
from resim.detector.random import Stream
from resim.hard_scatter.rows import Rows
from resim.jets.clustering import ClusteredJets, cluster, constituents_of
from resim.jets.jet_cells import CellsOfJets, JetAxes, cells_of_jets
from resim.jets.matching import delta_r, match_partons
from resim.jets.vertices import JetConstituents, Vertices, secondary_vertices
from resim.particles import Candidates, Particles
from resim.shower.simulate_views import Realization


@dataclass(frozen=True, slots=True)
class JetsOfRows:
    """Jets of a batch of events at one level, and which of them is that of each row.

    Attributes:
        particles: what was clustered.
        jets: the jets.
        of_row: int64 `(n_rows,)`, index of the row's jet; -1 for none.
        taken: bool `(n_rows,)`, true if there are jets near, but other partons have them.
    """

    particles: Particles
    jets: ClusteredJets
    of_row: Integers
    taken: Booleans


@dataclass(frozen=True, slots=True)
class ReconstructedView:
    """The jets of the rows in one view.

    Attributes:
        view: the plan of the view.
        realization: its generated particles.
        detector_seeds: uint32 `(n_events,)`, 0 without a detector.
        detector_level: jets of what the detector measures; without a detector of the generated particles.
        particle_level: jets of the generated particles.
        valid: bool `(n_rows,)`, whether the row has a jet.
        vertices: secondary vertices of the jets of the valid rows, if the card asks for them.
        cells: cells, clusters and tracks of these jets, likewise.
        counts: what became of the rows.
    """

    view: ViewPlan
    realization: Realization
    detector_seeds: npt.NDArray[np.uint32]
    detector_level: JetsOfRows
    particle_level: JetsOfRows
    valid: Booleans
    vertices: Vertices | None
    cells: CellsOfJets | None
    counts: ViewCounts


def reconstruct(
    views: Sequence[ViewPlan],
    realizations: Mapping[str, Realization],
    rows: Rows,
    settings: JetSettings,
    run_seed: int,
) -> Iterator[ReconstructedView]:
    """Find the jets of the rows in every view.

    Args:
        views: the plan, the root first.
        realizations: name of the view → its particles.
        rows: the rows.
        settings: clustering, matching, substructure.
        run_seed: the run's seed.

    Yields:
        The views in the order of the plan.
    """
    root = realizations[views[0].name]
    particle_levels: dict[str, JetsOfRows] = {}
    for view in views:
        realization = realizations[view.name]
        if view.particles_owner not in particle_levels:
            particle_levels[view.particles_owner] = _particle_level(realization.particles, rows, settings)
        particle_level = particle_levels[view.particles_owner]
        seeds = _detector_seeds(view, rows, run_seed)
        detector_level, readout = _detector_level(view, particle_level, seeds, rows, settings)
        particle_level = _inside_radius(particle_level, detector_level, settings) if view.detector else particle_level
        lost = _losses(_decay_losses(realization, root, rows) | _jet_losses(particle_level, detector_level, settings))
        valid = ~np.any(list(lost.values()), axis=0)
        counts = _counts(valid, lost, realization, own=view.particles_owner == view.name)
        vertices = None
        if settings.vertices is not None:
            constituents = _constituents(detector_level, particle_level.particles, valid)
            vertices = secondary_vertices(constituents, settings.vertices, _vertex_stream(view, rows, run_seed))
        cells = _cells(readout, detector_level, valid, settings.radius) if readout else None
        yield ReconstructedView(
            view, realization, seeds, detector_level, particle_level, valid, vertices, cells, counts
        )


def _constituents(level: JetsOfRows, generated: Particles, valid: Booleans) -> JetConstituents:
    """The jets of the valid rows; `generated` are the particles that the detector saw, if there is one."""
    particles, of_row = level.particles, level.of_row[valid]
    members, offsets = constituents_of(particles, level.jets, of_row)
    event = owners_of(particles.offsets)[members]
    item = members - particles.offsets[event]
    origin = np.stack([particles.vx, particles.vy, particles.vz], axis=1)[members]
    if isinstance(particles, Candidates):
        number = particles.origin[members]
        seen = generated.offsets[event] + np.maximum(number, 0)
        true = np.stack([generated.vx, generated.vy, generated.vz], axis=1)[seen]
        origin = np.where((number >= 0)[:, None], true, np.nan)
    event_of_jet = owners_of(level.jets.offsets)[of_row]
    jets = level.jets
    return JetConstituents(
        particles.take(members, offsets), jets.eta[of_row], jets.phi[of_row], event_of_jet, item, origin
    )


def _particle_level(particles: Particles, rows: Rows, settings: JetSettings) -> JetsOfRows:
    """Jets of the generated particles, down to the card's `particle_pt_min` if it has one, without upper limit."""
    pt_min = settings.pt_min if settings.particle_pt_min is None else settings.particle_pt_min
    return _jets_of_rows(particles, rows, settings.model_copy(update={"pt_min": pt_min, "pt_max": None}))


def _detector_level(
    view: ViewPlan,
    particle_level: JetsOfRows,
    seeds: npt.NDArray[np.uint32],
    rows: Rows,
    settings: JetSettings,
) -> tuple[JetsOfRows, Readout | None]:
    """Jets of the detector's candidates; without a detector those of the generated particles inside the cuts.

    And what a detector of cells tells of the events, if the card asks for the cells of jets.
    """
    if view.detector:
        detector = detector_for(view.detector)
        if settings.cells and isinstance(detector, CellDetector | Cocoa):
            readout = detector.read_out(particle_level.particles, seeds)
            return _jets_of_rows(readout.candidates, rows, settings), readout
        return _jets_of_rows(detector.run(particle_level.particles, seeds), rows, settings), None
    if settings.pt_max is None and settings.particle_pt_min in (None, settings.pt_min):
        return particle_level, None
    return _jets_of_rows(particle_level.particles, rows, settings), None


def _cells(readout: Readout, level: JetsOfRows, valid: Booleans, radius: float) -> CellsOfJets:
    """Cells, clusters and tracks of the jets of the valid rows."""
    of_row = level.of_row[valid]
    axes = JetAxes(owners_of(level.jets.offsets)[of_row], level.jets.eta[of_row], level.jets.phi[of_row])
    return cells_of_jets(readout, axes, radius)


def _jets_of_rows(particles: Particles, rows: Rows, settings: JetSettings) -> JetsOfRows:
    """A jet above `pt_max` is matched, too, and its row has none: a softer jet near by is another object."""
    jets = cluster(particles, settings)
    match = match_partons(jets, rows.candidates, rows.scatter_of_candidate, settings)
    n_rows = len(rows.partons)
    of_row = match.jet[:n_rows].copy()
    if settings.pt_max is not None:
        matched = np.flatnonzero(of_row >= 0)
        of_row[matched[jets.pt[of_row[matched]] > settings.pt_max]] = -1
    return JetsOfRows(particles, jets, of_row, match.taken[:n_rows])


def _inside_radius(particle_level: JetsOfRows, detector_level: JetsOfRows, settings: JetSettings) -> JetsOfRows:
    """The particle level with only those jets of rows that lie within the radius of the detector-level jet."""
    both = np.flatnonzero((particle_level.of_row >= 0) & (detector_level.of_row >= 0))
    generated, measured = particle_level.of_row[both], detector_level.of_row[both]
    axes = [(level.jets.rapidity, level.jets.phi) for level in (particle_level, detector_level)]
    (y, phi), (measured_y, measured_phi) = axes
    outside = delta_r(measured_y[measured], measured_phi[measured], y[generated], phi[generated]) >= settings.radius
    of_row = particle_level.of_row.copy()
    of_row[both[outside]] = -1
    return replace(particle_level, of_row=of_row)


def _detector_seeds(view: ViewPlan, rows: Rows, run_seed: int) -> npt.NDArray[np.uint32]:
    """One seed for every hard scatter, uint32 `(n_events,)`; 0 without a detector.

    An external program runs a slice of events with one seed, so all events of the slice have that.
    """
    if view.detector is None:
        return np.zeros(len(rows.scatters), dtype=np.uint32)
    return _seeds(view, rows, run_seed, "detector", view.slice_events if view.detector.stage.external else 1)


def _vertex_stream(view: ViewPlan, rows: Rows, run_seed: int) -> Stream:
    return Stream.of(_seeds(view, rows, run_seed, "vertices").astype(np.uint64), "vertices")


def _seeds(view: ViewPlan, rows: Rows, run_seed: int, stage: Stage, length: int = 1) -> npt.NDArray[np.uint32]:
    """Seeds of a stage for slices of so many events, uint32 `(n_events,)`."""
    first_events = ((scatter.sha256, scatter.index // length * length) for scatter in rows.scatters)
    seeds = [pythia_seed(SeedKey(run_seed, sha256, first, view.name, stage)) for sha256, first in first_events]
    return np.array(seeds, dtype=np.uint32)


@lru_cache(maxsize=8)
def detector_for(plan: DetectorPlan) -> Detector | Delphes | CellDetector | Cocoa:
    """The detector of a stage, one in each process: to read a card takes time.

    Raises:
        InputError: the card or the pool is wrong, pile-up is where the card has no place for it, or missing, or the
            program that runs it is.
    """
    stage, card = plan.stage, plan.stage.card_path
    if DetectorPlan.of(stage) != plan:
        raise InputError(f"{card}: its content or that of the pool has changed since the run began; restore it")
    if stage.backend == "delphes":
        return Delphes.from_card(card)
    if stage.backend == "cocoa":
        return Cocoa.from_card(card)
    if is_calorimeter_card(card):
        return CellDetector.from_card(card)
    pileup = PileUp(stage.pileup.mu, Pool.open(stage.pileup.pool)) if stage.pileup else None
    detector = Detector.from_card(card, pileup)
    detector.require_pileup()
    return detector


def _losses(reasons: Mapping[LossReason, Booleans]) -> dict[LossReason, Booleans]:
    """Rows lost by reason, bool `(n_rows,)` each; a row counts for the first reason that applies to it."""
    lost: dict[LossReason, Booleans] = {}
    for reason, flags in reasons.items():
        lost[reason] = flags & ~np.any([np.zeros_like(flags), *lost.values()], axis=0)
    return lost


def _counts(valid: Booleans, lost: Mapping[LossReason, Booleans], made: Realization, *, own: bool) -> ViewCounts:
    """Counts of a view; attempts count where the particles are the view's `own`."""
    n_lost = {reason: int(flags.sum()) for reason, flags in lost.items() if flags.any()}
    retries = made.retries if own else 0
    return ViewCounts(valid=int(valid.sum()), lost=n_lost, retries=retries, complaint=made.complaint)


def _decay_losses(realization: Realization, root: Realization, rows: Rows) -> dict[LossReason, Booleans]:
    return {
        LossReason.NOT_GENERATED: ~realization.made[rows.scatter_of_row],
        LossReason.DECAY_CHANNEL: ~_same_decay(rows, realization, root),
    }


def _jet_losses(
    particle_level: JetsOfRows, detector_level: JetsOfRows, settings: JetSettings
) -> dict[LossReason, Booleans]:
    return {
        LossReason.JET_TAKEN: detector_level.taken,
        LossReason.NO_JET: detector_level.of_row < 0,
        LossReason.NO_PARTICLE_JET: (particle_level.of_row < 0) & (settings.particle_pt_min is not None),
    }


def _same_decay(rows: Rows, realization: Realization, root: Realization) -> Booleans:
    """Whether each row decays as it does in the root view, bool `(n_rows,)`; true for all but taus."""
    same = np.ones(len(rows.partons), dtype=bool)
    for i, (event, parton) in enumerate(zip(rows.scatter_of_row, rows.partons, strict=True)):
        if parton.tau is not None and realization.made[event]:
            decays = (realization.taus[event], root.taus[event])
            known = parton.tau < min(map(len, decays))
            same[i] = known and decays[0][parton.tau].same_as(decays[1][parton.tau])
    return same
