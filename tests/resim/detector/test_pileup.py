"""Pools of minimum-bias events, pile-up in the detector stage, and charged-hadron subtraction."""

import hashlib
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from resim.card.run_options import RunOptions
from resim.common.errors import InputError
from resim.common.ragged import owners_of
from resim.detector import Detector, detector
from resim.detector.card import read_card
from resim.detector.detector import GENERATED
from resim.detector.pileup import PileUp, PileUpMerger
from resim.detector.pool import Pool, PoolProvenance, write_pool
from resim.detector.random import Stream
from resim.pairfile.digest import digest
from resim.pairfile.reader import PairFile
from resim.pairfile.validation import violations
from resim.particles import Candidates, Particles
from resim.run.generate import generate
from resim.run.replay import replay
from tests.helpers.chain import HARD_SCATTERS, REPOSITORY
from tests.helpers.delphes_recording import load_recording
from tests.helpers.particles import events, part, particle

CARDS = REPOSITORY / "cards/delphes"
CARD = CARDS / "cms_pileup.tcl"
PROVENANCE = PoolProvenance(1, 13000.0, (), {})
COLUMNS = [name for name in Candidates.__slots__ if name != "offsets"]


@pytest.fixture(scope="module")
def recorded() -> Particles:
    return first(load_recording(REPOSITORY / "tests/data/delphes_qcd.npz").particles, 12)


def first(particles: Particles, n_events: int) -> Particles:
    return part(particles, 0, n_events)


PHOTON = {"pdg_id": 22, "charge": 0, "px": 0.0, "py": 1.0, "mass": 0.0}


@pytest.fixture
def small_pool(tmp_path):
    def make(*lists: list[np.ndarray]) -> Pool:
        write_pool(tmp_path / "small.h5", [np.concatenate(rows) for rows in lists], PROVENANCE)
        return Pool.open(tmp_path / "small.h5")

    return make


@pytest.fixture
def edited(tmp_path):
    def edit(*changes: tuple[str, str]) -> Path:
        text = CARD.read_text()
        for old, new in changes:
            assert text.count(old) == 1
            text = text.replace(old, new)
        (tmp_path / "edited.tcl").write_text(text)
        return tmp_path / "edited.tcl"

    return edit


def merger(card: Path, pileup: PileUp) -> PileUpMerger:
    return dict(Detector.from_card(card, pileup).modules)["PileUpMerger"]


def stream(n_events: int, start: int = 0) -> Stream:
    return Stream.of(np.arange(start, start + n_events, dtype=np.uint64), "PileUpMerger")


def test_vertices_and_numbers_of_collisions_are_distributed_as_the_card_says(pool):
    """DELPHES_PILEUP, section 1: Poisson; N(0, 53 mm) in z and N(0, 160 ps) in t, in steps of 5 mm and 16 ps."""
    n, mu = 4000, 20.0
    found = merger(CARD, PileUp(mu, pool)).collisions(n, stream(n))
    counts = np.bincount(found.event) - 1
    assert counts.mean() == pytest.approx(mu, abs=4 * np.sqrt(mu / n))
    assert counts.var() == pytest.approx(mu, rel=4 * np.sqrt(2 / n))
    total = len(found.z)
    for values, sigma, step, limit in ((found.z, 53.0, 5.0, 250.0), (found.t, 160e-12, 16e-12, 800e-12)):
        assert values.mean() == pytest.approx(0, abs=4 * sigma / np.sqrt(total))
        assert values.std() == pytest.approx(np.hypot(sigma, step / np.sqrt(12)), rel=4 / np.sqrt(2 * total))
        assert np.abs(values).max() <= limit
    assert np.corrcoef(found.z, found.t)[0, 1] == pytest.approx(0, abs=4 / np.sqrt(total))
    mixed = found.number > 0
    for values, cells in (
        ((found.entry[mixed] + 0.5) / pool.n_events, pool.n_events),
        (found.rotation[mixed] / 2 / np.pi + 0.5, 50),
    ):
        expected = mixed.sum() / cells
        chi2 = ((np.histogram(values, cells, (0, 1))[0] - expected) ** 2 / expected).sum()
        assert abs(chi2 - (cells - 1)) < 5 * np.sqrt(2 * cells)


def test_a_density_that_correlates_z_and_t_is_followed(pool, edited):
    """f = 1 where z/Z and t/T have one sign, else 0: z and t always have one sign, and are flat."""
    card = edited(("exp(-t^2/(2*(160e-12)^2)) * exp(-z^2/(2*0.053^2))", "(z*t > 0)"))
    found = merger(card, PileUp(50.0, pool)).collisions(200, stream(200))
    assert (found.z * found.t > 0).all()
    assert found.z.std() == pytest.approx(250 / np.sqrt(3), rel=0.03)


@pytest.mark.parametrize(("kind", "numbers"), [(1, {0, 1, 2, 3, 4, 5, 6}), (2, {3})])
def test_other_distributions_of_the_number(pool, edited, kind, numbers):
    card = edited(("  set MeanPileUp 50\n", f"  set PileUpDistribution {kind}\n"))
    found = merger(card, PileUp(3.0, pool)).collisions(300, stream(300))
    assert set(np.bincount(found.event) - 1) == numbers


def test_no_collisions_at_all_and_few(pool):
    counts = {mu: merger(CARD, PileUp(mu, pool)).collisions(300, stream(300)).number for mu in (0.0, 0.1)}
    assert not counts[0.0].any()
    assert 0.03 < (counts[0.1] > 0).sum() / 300 < 0.2


def test_with_one_seed_more_pileup_contains_less_of_it(pool):
    few, many = (merger(CARD, PileUp(mu, pool)).collisions(30, stream(30)) for mu in (5.0, 20.0))
    for event in range(30):
        a, b = (np.flatnonzero(found.event == event) for found in (few, many))
        assert len(a) <= len(b)
        assert np.array_equal(few.z[a], many.z[b[: len(a)]])
        assert np.array_equal(few.entry[a], many.entry[b[: len(a)]])


def test_merged_events_have_mu_times_the_mean_of_the_pool(pool, recorded):
    n, mu = 200, 15.0
    hard = events(*[[particle()]] * n)
    merged, vertices = merger(CARD, PileUp(mu, pool)).run(hard, stream(n))
    added = np.diff(merged.offsets) - 1
    lengths = np.diff(pool.offsets)
    spread = np.sqrt(mu * np.mean(lengths.astype(float) ** 2) / n)  # of a compound Poisson number
    assert added.mean() == pytest.approx(mu * pool.mean_particles, abs=4 * spread)
    assert vertices.n_hard.tolist() == [1] * n
    merged, _ = merger(CARD, PileUp(mu, pool)).run(recorded, stream(recorded.n_events))
    for event in range(recorded.n_events):  # hard particles first and unchanged but for z
        a, b = part(recorded, event, event + 1), part(merged, event, event + 1)
        assert np.array_equal(a.px, b.px[: len(a.px)])
        assert np.ptp(b.vz[: len(a.px)] - a.vz) < 1e-9


def test_pileup_events_are_turned_as_a_whole_and_moved_along_the_beam(small_pool):
    pool = small_pool([particle(px=3, py=4, pz=-2, vx=0.6, vy=0.8, vz=5.0), particle(**PHOTON)])
    module = merger(CARD, PileUp(30.0, pool))
    drawn = module.collisions(1, stream(1))
    merged, vertices = module.run(events([particle(vz=7.0), particle(vz=9.0)]), stream(1))
    assert merged.vz[:2] == pytest.approx(drawn.z[0] + np.array([0, 2]))  # the first particle is at the hard vertex
    assert vertices.z == pytest.approx(drawn.z[:1])
    charged, photon = merged.px[2::2] + 1j * merged.py[2::2], merged.px[3::2] + 1j * merged.py[3::2]
    turn = np.exp(1j * drawn.rotation[1:])
    assert charged == pytest.approx((3 + 4j) * turn)
    assert photon == pytest.approx(1j * turn)
    assert merged.vx[2::2] + 1j * merged.vy[2::2] == pytest.approx((0.6 + 0.8j) * turn)
    assert merged.vz[2::2] == pytest.approx(drawn.z[1:] + 5)
    assert merged.vz[3::2] == pytest.approx(drawn.z[1:])


def test_beam_spots_move_pileup_alone(small_pool, edited):
    spots = (
        "  set InputBeamSpotX 1.0\n  set InputBeamSpotY 2.0\n  set OutputBeamSpotX 0.1\n  set OutputBeamSpotY 0.2\n"
    )
    card = edited(("  set MeanPileUp 50\n", spots))
    module = merger(card, PileUp(10.0, small_pool([particle(vx=1.0, vy=2.0)])))
    merged, _ = module.run(events([particle()]), stream(1))
    assert (merged.vx[0], merged.vy[0]) == (0, 0)
    assert merged.vx[1:] == pytest.approx(0.1)
    assert merged.vy[1:] == pytest.approx(0.2)


def subtracted(card: Path, pileup: PileUp, hard: Particles):
    """Charged hadrons before and after the subtractor, without a detector in between, and the merged particles."""
    modules = dict(Detector.from_card(card, pileup).modules)
    merged, vertices = modules["PileUpMerger"].run(hard, stream(hard.n_events))
    _, hadrons, *_ = modules["ParticlePropagator"].run(merged, stream=stream(hard.n_events))
    kept, marked = modules["TrackPileUpSubtractor"].run(hadrons, vertices, stream=stream(hard.n_events))
    assert np.array_equal(marked.item, hadrons.item)
    assert not marked.subtracted[marked.item < np.diff(hard.offsets)[marked.event]].any()
    return hadrons, kept, merged, vertices


@pytest.mark.slow
def test_charged_pileup_beyond_the_resolution_is_removed_and_nothing_else(pool):
    hard = events(*[[particle(), particle(vz=5.0), particle(pdg_id=-211, charge=-1, vz=-80.0)]] * 40)
    hadrons, kept, merged, vertices = subtracted(CARD, PileUp(100.0, pool), hard)
    z = merged.vz[merged.offsets[hadrons.event] + hadrons.item]
    near = np.abs(z - vertices.z[hadrons.event]) <= 0.1  # mm: 0.0001 m in the card
    expected = hadrons.select((hadrons.item < 3) | near)
    assert np.array_equal(kept.event, expected.event)
    assert np.array_equal(kept.item, expected.item)
    assert (hadrons.item < 3).sum() == 120
    assert 120 < len(kept) < 0.05 * len(hadrons)


def test_the_window_may_depend_on_the_generated_momentum(pool, edited):
    """A window of half a metre for pT > 1 GeV lets all of them through."""
    card = edited(
        ("set ZVertexResolution 0.0001", "set ZVertexResolution {0.5 * (pt > 1)}"), ("PTMin 0.0", "PTMin 0.3")
    )
    hadrons, kept, *_ = subtracted(card, PileUp(20.0, pool), events(*[[particle(), particle(px=0.2)]] * 20))
    assert (kept.pt > 0.3).all()
    pileup = hadrons.item >= 2
    assert len(kept) == 20 + (pileup & (hadrons.pt > 1)).sum()
    assert (kept.true_pt[kept.item >= 2] > 1).all()


def test_vertices_must_come_from_a_merger(edited):
    card = edited(("set VertexInputArray PileUpMerger/vertices", "set VertexInputArray PileUpMerger/stableParticles"))
    with pytest.raises(InputError, match=r"edited\.tcl:\d+: TrackPileUpSubtractor: reads .* as an array of vertices"):
        Detector.from_card(card)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("set ZVertexSpread 0.25", "set ZVertexSpread 0", "PileUpMerger.ZVertexSpread: 0 is not positive"),
        ("exp(-z^2/(2*0.053^2)) }", "0 }", "VertexDistributionFormula: want a density"),
        ("exp(-z^2/(2*0.053^2)) }", "(z - 0.1) }", "VertexDistributionFormula: want a density"),
        ("exp(-z^2/(2*0.053^2)) }", "log(z) }", "VertexDistributionFormula: the formula gives nan"),
    ],
)
def test_wrong_parameters_are_named(edited, old, new, message):
    with pytest.raises(InputError, match=message):
        Detector.from_card(edited((old, new)))


def equal(a: Candidates, b: Candidates, names=COLUMNS) -> bool:
    return np.array_equal(a.offsets, b.offsets) and all(
        np.array_equal(getattr(a, name), getattr(b, name)) for name in names
    )


def test_candidates_depend_on_the_seed_of_their_event_and_not_on_the_batch(pool, recorded, monkeypatch):
    found = Detector.from_card(CARD, PileUp(30.0, pool))
    seeds = np.arange(5, 5 + recorded.n_events)
    together = found.run(recorded, seeds)
    monkeypatch.setattr(detector, "_PARTICLES_AT_A_TIME", 9_000)
    assert equal(found.run(recorded, seeds), together)
    for event in (0, 7):
        alone = found.run(part(recorded, event, event + 1), [seeds[event]])
        rows = slice(*together.offsets[event : event + 2])
        assert all(np.array_equal(getattr(alone, name), getattr(together, name)[rows]) for name in COLUMNS)
    assert not np.array_equal(found.run(recorded, seeds + 100).px, together.px)


def test_without_collisions_it_is_the_card_without_pileup_for_events_at_the_drawn_vertex(pool, recorded, edited):
    found = Detector.from_card(CARD, PileUp(0.0, pool))
    candidates = found.run(recorded, np.arange(recorded.n_events))
    plain = Detector.from_card(
        edited(
            ("  PileUpMerger\n", ""),
            ("  TrackPileUpSubtractor\n", ""),
            ("InputArray PileUpMerger/stableParticles", f"InputArray {GENERATED}"),
            ("InputArray TrackPileUpSubtractor/eflowTracks\n  add", "InputArray HCal/eflowTracks\n  add"),
        )
    )
    _, vertices = merger(CARD, PileUp(0.0, pool)).run(recorded, stream(recorded.n_events))
    shift = vertices.shift[owners_of(recorded.offsets)]
    expected = plain.run(replace(recorded, vz=recorded.vz + shift), np.arange(recorded.n_events))
    assert equal(candidates, expected, [name for name in COLUMNS if name not in ("dz", "vz")])
    tracks = expected.charge != 0
    moved = expected.dz - vertices.shift[owners_of(expected.offsets)]
    assert candidates.dz[tracks] == pytest.approx(moved[tracks], abs=1e-9)
    assert not candidates.dz[~tracks].any()
    assert np.abs(vertices.shift).mean() > 10


def test_pileup_adds_neutral_candidates_and_hardly_any_tracks(pool, recorded):
    none, some = (
        Detector.from_card(CARD, PileUp(mu, pool)).run(recorded, np.arange(recorded.n_events)) for mu in (0.0, 40.0)
    )
    photons = [(found.pdg_id == 22).sum() for found in (none, some)]
    tracks = [(found.charge != 0).sum() for found in (none, some)]
    assert photons[1] > 3 * photons[0]
    assert tracks[1] < 1.1 * tracks[0]
    assert (some.origin[some.charge == 0] == -1).all()
    lengths = np.diff(recorded.offsets)[owners_of(some.offsets)]
    assert (some.origin < lengths).all()  # tracks of pile-up have no generated particle of the event


PUPPI = CARDS / "cms_puppi.tcl"


def test_puppi_takes_the_neutral_candidates_of_pileup_away_and_leaves_the_tracks(pool, recorded):
    """Without collisions it takes nothing but neutral candidates below 206 MeV."""
    seeds = np.arange(recorded.n_events)
    none, subtracted, puppi = (
        Detector.from_card(card, PileUp(mu, pool)).run(recorded, seeds)
        for card, mu in ((PUPPI, 0.0), (CARD, 40.0), (PUPPI, 40.0))
    )
    energy = [np.bincount(c.charge != 0, weights=c.pt) for c in (none, subtracted, puppi)]
    assert energy[1][0] > 3 * energy[0][0]
    assert 0.7 * energy[0][0] < energy[2][0] < 1.4 * energy[0][0]
    assert puppi.origin[puppi.charge != 0].tolist() == subtracted.origin[subtracted.charge != 0].tolist()
    kind = np.where(puppi.charge != 0, 0, np.where(puppi.pdg_id == 22, 1, 2))
    assert (np.diff(owners_of(puppi.offsets) * 3 + kind) >= 0).all()  # tracks, photons, neutral hadrons
    without = Detector.from_card(CARD, PileUp(0.0, pool)).run(recorded, seeds)
    neutral = [c.pt[(c.charge == 0) & (np.abs(c.eta) < 2.4)] for c in (without, none)]
    assert np.sort(neutral[1]) == pytest.approx(np.sort(neutral[0][neutral[0] > 0.206]), rel=1e-6)


def test_puppi_knows_nothing_of_other_events(pool, recorded, monkeypatch):
    found = Detector.from_card(PUPPI, PileUp(30.0, pool))
    seeds = np.arange(5, 5 + recorded.n_events)
    together = found.run(recorded, seeds)
    monkeypatch.setattr(detector, "_PARTICLES_AT_A_TIME", 9_000)
    assert equal(found.run(recorded, seeds), together)


def test_empty_events_get_pileup_too(pool):
    found = Detector.from_card(CARD, PileUp(40.0, pool)).run(events([], [particle()], []), [1, 2, 3])
    assert (np.diff(found.offsets) > 20).all()
    none = events()
    assert Detector.from_card(CARD, PileUp(40.0, pool)).run(none, []).n_events == 0


def test_pileup_and_the_card_must_go_together(pool, recorded):
    with pytest.raises(InputError, match=r"cms\.tcl: there is pile-up with a mean of 5, .*no PileUpMerger"):
        Detector.from_card(CARDS / "cms.tcl", PileUp(5.0, pool))
    with pytest.raises(InputError, match=r"cms_pileup\.tcl:\d+: PileUpMerger: pile-up needs a pool"):
        Detector.from_card(CARD).run(recorded, np.arange(recorded.n_events))
    assert "PileUpMerger" in read_card(CARD).by_name


@pytest.mark.slow
def test_memory_is_bounded_at_a_mean_of_140(pool):
    """100 events of 25,000 particles: all at once they need more than 1 GB."""
    particles = load_recording(REPOSITORY / "tests/data/delphes_qcd.npz").particles
    found = Detector.from_card(CARD, PileUp(140.0, pool))
    tracemalloc.start()
    candidates = found.run(particles, np.arange(particles.n_events))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(candidates.px) > 100 * particles.n_events
    assert peak < 200e6


SHOWER = {"shower": {"card": str(REPOSITORY / "cards/pythia/monash.cmnd")}}


def chain_card(folder: Path, pool: Path, views: dict, **more: object) -> Path:
    source = {"lhe": str(HARD_SCATTERS / "qcd_jj.lhe.gz"), "rows": {21: "g", 1: "q", 2: "q"}}
    content = {"sources": [source], "select": {"parton_pt_min": 250}, "views": views, **more}
    path = folder / "card.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def stage(mu: float, pool: Path, card: Path = CARD) -> dict:
    return {"card": str(card), "pileup": {"mu": mu, "pool": str(pool)}}


@pytest.fixture(scope="module")
def chain(pool, tmp_path_factory):
    """The same particles with two sets of collisions of one mean, the card's, and with another mean."""
    folder = tmp_path_factory.mktemp("chain")
    own = folder / "pool.h5"
    own.write_bytes(pool.path.read_bytes())
    frozen = {"from": "reco", "freeze": "hadronization"}
    views = {"reco": SHOWER, "other": frozen, "pileup60": frozen | {"detector": stage(60, own)}}
    card = chain_card(folder, own, views, detector=stage(20, own))
    options = RunOptions(n_events=8, chunk_size=3, quiet=True)
    generate(card, folder / "pairs.h5", options)
    generate(card, folder / "again.h5", replace(options, chunk_size=8))
    return folder


def test_views_differ_in_the_pileup_alone(chain):
    assert violations(chain / "pairs.h5") == []
    with PairFile(chain / "pairs.h5") as file:
        settings = {view.name: view.settings["detector"] for view in file.views}
        seeds = {tuple(file.read(f"views/{view}/seeds/hadronization")) for view in file.view_names}
        detector_seeds = {tuple(file.read(f"views/{view}/seeds/detector")) for view in file.view_names}
        every = np.all([file.valid(view) for view in file.view_names], axis=0)
        truth = {tuple(file.read(f"views/{view}/particle_jets/pt")[every]) for view in file.view_names}
        numbers = {view: file.jets(view, "n_constituents")[every].mean() for view in file.view_names}
        dz, charge = (file.constituents("pileup60", name) for name in ("dz", "charge"))
    assert settings["reco"] == settings["other"]
    assert settings["reco"]["pileup"]["mu"] == 20
    assert settings["pileup60"]["pileup"]["sha256"] == hashlib.sha256((chain / "pool.h5").read_bytes()).hexdigest()
    assert (len(seeds), len(detector_seeds), len(truth)) == (1, 3, 1)
    assert every.sum() >= 5
    assert numbers["reco"] != numbers["other"]
    assert numbers["pileup60"] > 1.2 * numbers["reco"]
    assert np.median(np.abs(dz[charge != 0])) < 0.1  # mm, seen from the hard collision


def test_the_chain_does_not_depend_on_chunks_and_rows_can_be_replayed(chain):
    assert digest(chain / "pairs.h5") == digest(chain / "again.h5")
    assert replay(chain / "pairs.h5", 2).differing == ()


def test_another_mean_or_pool_is_another_run(chain, tmp_path):
    card, pool = chain / "card.yaml", chain / "pool.h5"
    options = RunOptions(n_events=8, chunk_size=3, quiet=True, resume=True)
    original, text = pool.read_bytes(), card.read_text()
    generate(card, chain / "pairs.h5", options)  # finished before
    try:
        card.write_text(text.replace("mu: 60", "mu: 61"))
        with pytest.raises(InputError, match="made with another card"):
            generate(card, chain / "pairs.h5", options)
        card.write_text(text)
        write_pool(pool, [particle()], PROVENANCE)
        with pytest.raises(InputError, match="made with another card"):
            generate(card, chain / "pairs.h5", options)
        with pytest.raises(InputError, match=r"pool\.h5: not the pool that the file was made with; restore it"):
            replay(chain / "pairs.h5", 2)
        pool.unlink()
        with pytest.raises(InputError, match=r"pool\.h5: cannot be read"):
            replay(chain / "pairs.h5", 2)
    finally:
        pool.write_bytes(original)
        card.write_text(text)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda pool: {"card": str(CARD)}, r"cms_pileup\.tcl:\d+: PileUpMerger: pile-up needs a pool"),
        (lambda pool: stage(5, pool, CARDS / "cms.tcl"), r"cms\.tcl: there is pile-up with a mean of 5"),
        (lambda pool: stage(-1, pool), r"pileup\.mu: -1: .*greater than or equal to 0"),
        (lambda pool: stage(1001, pool), r"pileup\.mu: 1001: .*less than or equal to 1000"),
        (lambda pool: stage(5, pool.with_name("no.h5")), r"no\.h5 not found"),
        (lambda pool: stage(5, CARD), r"cms_pileup\.tcl: not a readable HDF5 file"),
        (lambda pool: {"card": str(CARD), "pileup": {"mu": 5}}, r"pileup\.pool: .*required"),
    ],
)
def test_bad_pileup_in_a_generation_card(pool, tmp_path, change, message):
    card = chain_card(tmp_path, pool.path, {"nominal": SHOWER}, detector=change(pool.path))
    with pytest.raises(InputError, match=message):
        generate(card, tmp_path / "pairs.h5", RunOptions(n_events=2, quiet=True))


def test_pileup_at_another_energy_is_refused(tmp_path):
    pool = tmp_path / "pool.h5"
    write_pool(pool, [particle()], replace(PROVENANCE, e_cm=14000.0))
    card = chain_card(tmp_path, pool, {"nominal": SHOWER | {"detector": stage(5, pool)}})
    with pytest.raises(InputError, match=r"pile-up at 14000 GeV, .* has beams 2212 at 6500 GeV and .*--e-cm 13000"):
        generate(card, tmp_path / "pairs.h5", RunOptions(n_events=2, quiet=True))


def test_what_makes_arrays_that_candidates_do_not_need_is_not_looked_at(tmp_path):
    """The official CMS card with pile-up subtracts it from electrons as well, whose filter is of no known class."""
    wanted = "  add InputArray HCal/eflowTracks eflowTracks\n"
    text = CARD.read_text().replace(wanted, wanted + "  add InputArray ElectronFilter/electrons electrons\n")
    text = text.replace("  TrackPileUpSubtractor\n", "  ElectronFilter\n  TrackPileUpSubtractor\n", 1)
    (tmp_path / "card.tcl").write_text(
        text + "module SomeFilter ElectronFilter { set InputArray HCal/eflowTracks }\n"
    )
    detector, official = Detector.from_card(tmp_path / "card.tcl"), Detector.from_card(CARD)
    assert [name for name, _ in detector.modules] == [name for name, _ in official.modules]
    assert "SomeFilter ElectronFilter" in detector.left_out
    subtractor = dict(detector.modules)["TrackPileUpSubtractor"]
    assert subtractor.inputs == ("HCal/eflowTracks", "PileUpMerger/vertices")
