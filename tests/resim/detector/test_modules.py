"""Modules against known answers and against slow loops written from the description in words."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from resim.common.errors import InputError
from resim.common.ragged import offsets_of
from resim.detector import Detector
from resim.detector.detector import GENERATED
from resim.detector.propagation import SPEED_OF_LIGHT, Cylinder, Start, helix, straight
from resim.detector.random import Stream
from resim.detector.segmentation import Bins
from resim.detector.tracking import lognormal
from resim.particles import Particles, impact_parameters
from tests.helpers.delphes_recording import load_recording

ROOT = Path(__file__).parents[3]
CARDS = ROOT / "cards/delphes"
TRACKER = Cylinder(1.29, 3.0)
FIELD = 3.8


@pytest.fixture(scope="module")
def cms() -> Detector:
    return Detector.from_card(CARDS / "cms.tcl")


@pytest.fixture(scope="module")
def recording():
    return load_recording(ROOT / "tests/data/delphes_qcd.npz")


MASS_AND_CHARGE = {211: (0.13957, 1), 22: (0, 0), 130: (0.49761, 0), 11: (0.000511, -1), 13: (0.10566, -1)}


def gun(
    pdg_id: int, pt: list[float], eta: list[float], phi: list[float] | None = None, **columns: float
) -> Particles:
    """One particle in every event."""
    mass, charge = MASS_AND_CHARGE.get(pdg_id, (0.1, 0))
    pt, eta = np.array(pt, float), np.array(eta, float)
    phi = np.zeros(len(pt)) if phi is None else np.array(phi, float)
    pz = pt * np.sinh(eta)
    default = {
        "px": pt * np.cos(phi),
        "py": pt * np.sin(phi),
        "pz": pz,
        "energy": np.sqrt(pt**2 + pz**2 + mass**2),
        "mass": np.full(len(pt), mass),
        "charge": np.full(len(pt), float(charge)),
    }
    default |= {name: np.full(len(pt), columns.pop(name, 0.0)) for name in ("vx", "vy", "vz")}
    default |= {name: np.full(len(pt), value) for name, value in columns.items()}
    return Particles(offsets=offsets_of(np.ones(len(pt), int)), pdg_id=np.full(len(pt), pdg_id, np.int32), **default)


# Propagation


def start(x=0.0, y=0.0, z=0.0, phi=0.0, slope=0.0) -> Start:
    return Start(*(np.array([v], float) for v in (x, y, z, np.cos(phi), np.sin(phi), slope)))


def test_a_track_from_the_beam_turns_by_the_angle_of_its_chord():
    """Half the turn has sin = R / 2r; a positive charge turns clockwise in a field along +z."""
    radius = 2.0 * 1e9 / (SPEED_OF_LIGHT * FIELD)  # pT 2 GeV
    assert radius == pytest.approx(0.8778 * 2, rel=1e-4)  # DELPHES_CMS, section 2
    half = np.arcsin(TRACKER.radius / (2 * radius))
    path = helix(start(slope=0.5), np.array([radius]), TRACKER)
    assert np.arctan2(path.y, path.x) == pytest.approx(-half)
    assert np.hypot(path.x, path.y) == pytest.approx(TRACKER.radius)
    assert path.z == pytest.approx(0.5 * radius * 2 * half)
    assert (path.d0[0], path.dz[0]) == pytest.approx((0, 0), abs=1e-12)


def test_curling_tracks_leave_through_the_endcap():
    path = helix(start(slope=1.5, z=-1.0), np.array([-0.3]), TRACKER)
    assert path.z == pytest.approx(TRACKER.half_length)
    assert np.hypot(path.x, path.y) < 0.6
    assert not np.isfinite(helix(start(), np.array([0.3]), TRACKER).z)  # circles for ever


def test_straight_lines_end_at_the_side_or_at_the_end():
    side = straight(start(x=0.2, slope=1.0), TRACKER)
    assert (side.x[0], side.z[0]) == pytest.approx((1.29, 1.09))
    end = straight(start(x=0.2, z=0.5, phi=np.pi, slope=-10.0), TRACKER)
    assert (end.x[0], end.z[0]) == pytest.approx((0.2 - 0.35, -3.0))


starts = st.builds(
    start,
    x=st.floats(-0.3, 0.3),
    y=st.floats(-0.3, 0.3),
    z=st.floats(-1, 1),
    phi=st.floats(-3, 3),
    slope=st.floats(-5, 5).filter(lambda s: abs(s) > 0.05),
)
radii = st.floats(0.15, 50).flatmap(lambda r: st.sampled_from([np.array([r]), np.array([-r])]))


@given(starts, radii)
def test_helices_agree_with_an_integration_of_the_lorentz_force(begin, radius):
    """Fourth-order Runge-Kutta in small steps of the transverse path, with the direction as unknown."""
    path = helix(begin, radius, TRACKER)
    step = min(abs(radius[0]) / 50, 0.02)
    position = np.array([begin.x[0], begin.y[0], begin.z[0]])
    angle = float(np.arctan2(begin.uy[0], begin.ux[0]))
    slope = begin.slope[0]

    def velocity(direction: float) -> np.ndarray:
        return np.array([np.cos(direction), np.sin(direction), slope])

    def inside(p: np.ndarray) -> bool:
        return np.hypot(p[0], p[1]) < TRACKER.radius and abs(p[2]) < TRACKER.half_length

    for _ in range(100_000):
        turn = -step / radius[0]
        middle = velocity(angle + turn / 2)
        new = position + step / 6 * (velocity(angle) + 4 * middle + velocity(angle + turn))
        if not inside(new):
            break
        position, angle = new, angle + turn
    assert np.linalg.norm(position - [path.x[0], path.y[0], path.z[0]]) <= 1.01 * step * np.sqrt(1 + slope**2)
    r = np.hypot(path.x[0], path.y[0])
    on_side, on_end = abs(r - TRACKER.radius) < 1e-9, abs(abs(path.z[0]) - TRACKER.half_length) < 1e-9
    assert on_side | on_end


@given(starts, st.floats(0.5, 50), st.floats(-0.3, 0.3))
def test_impact_parameters_do_not_depend_on_where_on_the_helix_a_particle_starts(begin, radius, turn):
    """The point of closest approach is within a quarter of a turn of both starts."""
    first = helix(begin, np.array([radius]), TRACKER)
    phi = np.arctan2(begin.uy[0], begin.ux[0])
    moved = start(
        begin.x[0] + radius * (np.sin(phi) - np.sin(phi - turn)),
        begin.y[0] - radius * (np.cos(phi) - np.cos(phi - turn)),
        begin.z[0] + begin.slope[0] * radius * turn,
        phi - turn,
        begin.slope[0],
    )
    second = helix(moved, np.array([radius]), TRACKER)
    if first.ux[0] * second.ux[0] + first.uy[0] * second.uy[0] < 0:
        return  # the vertices lie on different sides of the quarter turn where Delphes changes the extremum
    assert (second.d0[0], second.dz[0]) == pytest.approx((first.d0[0], first.dz[0]), abs=1e-9)
    assert (second.ux[0], second.uy[0]) == pytest.approx((first.ux[0], first.uy[0]), abs=1e-9)


def test_particles_outside_along_the_beam_and_invisible_are_dropped(cms):
    propagate = cms.modules[0][1].run
    for particles in (
        gun(211, [5.0], [0.0], vx=1291.0),
        gun(211, [5.0], [0.0], vz=-3001.0),
        gun(22, [1e-5], [10.0]),
        gun(12, [5.0], [0.0]),
        gun(4900101, [5.0], [0.0]),
        gun(211, [0.3], [0.0]),  # circles for ever
    ):
        assert [len(array) for array in propagate(particles, stream=None)] == [0, 0, 0, 0]
    kept = propagate(gun(211, [5.0], [0.0], vx=1289.0, vz=2999.0), stream=None)
    assert [len(array) for array in kept] == [1, 1, 0, 0]


def test_charges_are_truncated_and_unknown_ids_are_hadrons(cms):
    particles = gun(9_999_999, [50.0], [0.3], charge=2 / 3)
    assert (cms.run(particles, [1]).pdg_id == 0).all()
    found = Detector.from_card(CARDS / "ideal.tcl").run(gun(9_999_999, [50.0], [0.3], charge=-1.0), [1])
    assert found.pdg_id.tolist() == [9_999_999]
    assert found.charge.tolist() == [-1]


# Tracks


@given(st.floats(0.01, 1e4), st.floats(0.001, 1.0))
def test_lognormal_numbers_have_the_mean_and_the_deviation_asked_for(mean, relative):
    """Moments by Gauss-Hermite quadrature, exact for these integrands to rounding."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()
    values = lognormal(np.full(60, mean), np.full(60, relative * mean), nodes)
    average = (weights * values).sum()
    assert average == pytest.approx(mean, rel=1e-9)
    assert np.sqrt((weights * (values - average) ** 2).sum()) == pytest.approx(relative * mean, rel=1e-6)


def test_lognormal_of_nothing_is_nothing():
    assert lognormal(np.array([0.0, -1.0, 2.0]), np.array([1.0, 1.0, 0.0]), np.ones(3)).tolist() == [0, 0, 2]


EFFICIENCIES = [
    (211, 0.8, 0.5, 0.70), (211, 20, 0.5, 0.95), (211, 0.9, 2.0, 0.60), (211, 20, 2.0, 0.85), (211, 20, 2.6, 0),
    (11, 0.9, 0.5, 0.73), (11, 20, 0.5, 0.95), (11, 200, 0.5, 0.99), (11, 0.9, 2.0, 0.50), (11, 20, 2.0, 0.83), (11, 200, 2.0, 0.90),
    (13, 0.9, 0.5, 0.75), (13, 20, 0.5, 0.99), (13, 1500, 0.5, 0.99 * np.exp(0.5 - 0.75)), (13, 20, 2.0, 0.98), (13, 1500, 2.0, 0.98 * np.exp(0.5 - 0.75)),
]  # fmt: skip


@pytest.mark.parametrize(("pdg_id", "pt", "eta", "efficiency"), EFFICIENCIES)
def test_efficiency_in_every_bin_of_the_card(cms, pdg_id, pt, eta, efficiency):
    """DELPHES_CMS, section 3: 4000 single particles each."""
    n = 4000
    phi = np.linspace(-3, 3, n)
    found = cms.run(gun(pdg_id, [pt] * n, [eta] * n, phi), np.arange(n))
    tracks = (found.charge != 0).sum() / n
    assert abs(tracks - efficiency) <= 3.5 * np.sqrt(efficiency * (1 - efficiency) / n)


RESOLUTIONS = {
    "ChargedHadron": ((0.06, 1.3e-3), (0.10, 1.7e-3), (0.25, 3.1e-3)),
    "Electron": ((0.03, 1.3e-3), (0.05, 1.7e-3), (0.15, 3.1e-3)),
    "Muon": ((0.01, 1.0e-4), (0.015, 1.5e-4), (0.025, 3.5e-4)),
}


@pytest.mark.parametrize("kind", RESOLUTIONS)
@pytest.mark.parametrize("card", ["cms", "cms_tracking", "cms_pileup"])
def test_momentum_resolution_in_every_bin_of_the_card(kind, card):
    """DELPHES_CMS, section 4; intervals of |eta| are open below and closed above."""
    formula = dict(Detector.from_card(CARDS / f"{card}.tcl").modules)[f"{kind}MomentumSmearing"].formula
    pt = np.array([0.3, 5.0, 80.0])
    for eta, region in ((0.0, 0), (-0.5, 0), (0.51, 1), (1.5, 1), (-1.51, 2), (2.5, 2)):
        a, b = RESOLUTIONS[kind][region]
        assert formula({"pt": pt, "eta": np.full(3, eta)}, 3) == pytest.approx(np.hypot(a, b * pt))
    assert formula({"pt": pt, "eta": np.full(3, 2.51)}, 3).tolist() == [0, 0, 0]


def test_muons_are_smeared_by_the_resolution_of_the_card(cms):
    """Muons leave nothing in the calorimeters, so their pT shows the tracker alone: sqrt(0.015^2 + (1.5e-4 pT)^2)."""
    n = 20_000
    found = cms.run(gun(13, [100.0] * n, [1.0] * n, np.linspace(-3, 3, n)), np.arange(n))
    relative = np.hypot(0.015, 1.5e-4 * 100)
    assert found.pt.mean() == pytest.approx(100, abs=4 * 100 * relative / np.sqrt(n))
    assert found.pt.std() == pytest.approx(100 * relative, rel=4 / np.sqrt(2 * n))
    assert found.eta == pytest.approx(1.0)
    assert found.mass == pytest.approx(0.10566)


def test_track_parameters_are_smeared_and_momenta_are_not_touched(recording):
    """DELPHES_PILEUP, section 5: 10 GeV muons, 0.0191 mm in d0 and 0.0382 mm in dz for |eta| <= 0.9."""
    n = 20_000
    muons = gun(13, [10.0] * n, [0.4] * n, np.linspace(-3, 3, n), vx=0.3, vz=20.0)
    plain, smeared = (
        Detector.from_card(CARDS / f"{c}.tcl").run(muons, np.arange(n)) for c in ("cms", "cms_tracking")
    )
    assert smeared.px.tolist() == pytest.approx(plain.px.tolist())
    assert np.unique(smeared.d0_err).tolist() == [0.0191]
    assert np.unique(smeared.dz_err).tolist() == [0.0382]
    for name in ("d0", "dz"):
        pull = (getattr(smeared, name) - getattr(plain, name)) / getattr(smeared, f"{name}_err")
        assert abs(pull.mean()) < 4 / np.sqrt(n)
        assert pull.std() == pytest.approx(1, abs=4 / np.sqrt(2 * n))
    assert (plain.d0_err == 0).all()
    assert plain.origin.tolist() == [0] * len(plain.px)


ONE_SMEARING = """
set ExecutionPath {ParticlePropagator Smearing EFlowMerger}
module ParticlePropagator ParticlePropagator {set Radius 1.29; set HalfLength 3; set Bz 3.8}
module %s Smearing {
  set InputArray ParticlePropagator/muons
  set OutputArray tracks
  %s
}
module Merger EFlowMerger {
  add InputArray Smearing/tracks
  set OutputArray eflow
}
"""
FIVE = """
  set D0ResolutionFormula { 0.02 }
  set DZResolutionFormula { 0.03 * pt / 50 }
  set PResolutionFormula { 0.01 }
  set CtgThetaResolutionFormula { 0.001 }
  set PhiResolutionFormula { 0.002 }
"""


def test_all_five_track_parameters(tmp_path):
    """DELPHES_PILEUP, section 3: five independent normal numbers; P is relative, the others absolute."""
    n, card = 20_000, tmp_path / "card.tcl"
    muons = gun(13, [50.0] * n, [0.5] * n, [1.0] * n)
    card.write_text(ONE_SMEARING % ("TrackSmearing", FIVE))
    found = Detector.from_card(card).run(muons, np.arange(n))
    slope = found.pz / found.pt
    p = found.pt * np.hypot(1, slope)
    measured = (found.d0, found.dz, p / (50 * np.cosh(0.5)), slope - np.sinh(0.5), found.phi - 1.0)
    assert np.abs(np.corrcoef(measured) - np.eye(5)).max() < 4 / np.sqrt(n)
    for values, mean, spread in zip(measured, (0, 0, 1, 0, 0), (0.02, 0.03, 0.01, 0.001, 0.002), strict=True):
        assert values.mean() == pytest.approx(mean, abs=4 * spread / np.sqrt(n))
        assert values.std() == pytest.approx(spread, rel=4 / np.sqrt(2 * n))
    assert found.energy == pytest.approx(np.hypot(p, 0.10566))


def test_tracks_with_a_negative_resolution_are_lost(tmp_path):
    card = tmp_path / "card.tcl"
    card.write_text(ONE_SMEARING % ("TrackSmearing", FIVE.replace("{ 0.02 }", "{ (pt < 20) * 0.02 - (pt > 20) }")))
    found = Detector.from_card(card).run(gun(13, [10.0, 50.0], [0.5, 0.5]), [1, 2])
    assert np.diff(found.offsets).tolist() == [1, 0]


def test_impact_parameter_smearing(tmp_path):
    """DELPHES_PILEUP, section 4: the formula of the LHCb card, 0.0116 + 0.0234 / pT mm."""
    n, card = 20_000, tmp_path / "card.tcl"
    card.write_text(ONE_SMEARING % ("ImpactParameterSmearing", "set ResolutionFormula { 0.0116 + 0.0234/pt }"))
    found = Detector.from_card(card).run(gun(13, [10.0] * n, [0.5] * n), np.arange(n))
    assert found.d0.std() == pytest.approx(0.01394, rel=4 / np.sqrt(2 * n))
    assert found.d0_err == pytest.approx(0.01394)
    assert found.dz_err.max() == 0


def test_vertices_of_tracks_carry_their_impact_parameters(recording):
    found = Detector.from_card(CARDS / "cms_tracking.tcl").run(recording.particles, np.arange(100))
    d0, dz = impact_parameters(found)
    assert d0 == pytest.approx(found.d0, abs=1e-9)
    assert dz == pytest.approx(found.dz, abs=1e-6)
    assert (found.d0[found.charge == 0] == 0).all()


# Towers


edges_of_a_card = st.floats(-5, 5).map(lambda x: float(f"{x:.12g}") if abs(x) > 1e-300 else 0.0)


@given(
    st.lists(edges_of_a_card, min_size=2, max_size=30, unique=True),
    st.lists(st.floats(-6, 6), max_size=30),
)
@example([0.0, 1e-299], [0.0, 5e-300, 1e-299])
def test_bins_agree_with_a_search(edges, points):
    edges = sorted(edges)
    points = np.array([*points, *edges], float)
    expected = [next((i for i in range(len(edges) - 1) if edges[i] < p <= edges[i + 1]), -1) for p in points]
    assert Bins.of(edges).locate(points).tolist() == expected


def test_edges_too_close_to_divide_are_refused():
    with pytest.raises(InputError, match=r"the edges 0 and 4\.94066e-324 are too close; remove one"):
        Bins.of([0.0, 5e-324])


def test_towers_of_the_card(cms):
    """DELPHES_CMS, section 5: the number of phi bins is that of the upper eta edge."""
    towers = dict(cms.modules)["ECal"].segmentation
    eta = np.array([-2.97, -2.957, 0.0, 1e-9, 2.958, 2.9581, 5.0, 5.001, -5.0])
    located = towers.locate(eta, np.full(9, 0.1))
    sizes = np.diff(towers.first)[np.where(located >= 0, towers.eta_bin[located], 0)]
    assert np.where(located >= 0, sizes, 0).tolist() == [36, 360, 360, 360, 360, 36, 36, 0, 0]
    assert located[2] + 360 == located[3]  # (lo, hi]: 0 belongs to the bin below
    last = towers.first[towers.eta_bin[located[2]] + 1] - 1
    assert towers.locate(np.zeros(2), np.array([np.pi, -np.pi])).tolist() == [last, last]
    hcal = dict(cms.modules)["HCal"].segmentation
    assert sorted(np.unique(np.diff(hcal.first))) == [18, 36, 72]


@given(number=st.integers(0, 2**32), part=st.floats(0.001, 0.999))
def test_points_of_towers_lie_in_them(cms, number, part):
    towers = dict(cms.modules)["HCal"].segmentation
    tower = np.array([number % towers.n_towers])
    eta, phi = towers.point(tower, np.array([part]), np.array([1 - part]))
    middle, _ = towers.point(tower, np.array([0.5]), np.array([0.5]))
    assert towers.locate(eta, phi).tolist() == tower.tolist()
    assert towers.centre_eta(tower) == pytest.approx(middle)


# Energy flow


def sigma(kind: str, eta: float, energy: float) -> float:
    """DELPHES_CMS, section 5."""
    eta = abs(eta)
    if kind == "HCal":
        a, b = (0.050, 1.50) if eta <= 3 else (0.130, 2.70)
        return np.sqrt((a * energy) ** 2 + b**2 * energy) if eta <= 5 else 0.0
    s = np.sqrt((0.008 * energy) ** 2 + 0.11**2 * energy + 0.40**2)
    if eta <= 1.5:
        return (1 + 0.64 * eta**2) * s
    return (2.16 + 5.6 * (eta - 2) ** 2) * s if eta <= 2.5 else np.sqrt((0.107 * energy) ** 2 + 2.08**2 * energy)


def fraction(kind: str, pdg_id: int) -> float:
    pdg_id = abs(pdg_id)
    if pdg_id in (12, 13, 14, 16):
        return 0.0
    share = 1.0 if pdg_id in (11, 22, 111) else 0.3 if pdg_id in (310, 3122) else 0.0
    return share if kind == "ECal" else 1 - share


def slow_calorimeter(kind, segmentation, particles, tracks, stream):
    """One tower after the other, as DELPHES_CMS describes it, section 5, steps 1 to 6; one event."""
    minimum, significance = (0.5, 2.0) if kind == "ECal" else (1.0, 1.0)
    towers: dict[int, tuple[list, list]] = {}
    passed = []
    for objects, column in ((particles, 0), (tracks, 1)):
        for o in objects:
            tower = int(segmentation.locate(np.array([o["outer_eta"]]), np.array([o["outer_phi"]]))[0])
            f = fraction(kind, o["pdg_id"])
            if tower >= 0 and f > 0:
                towers.setdefault(tower, ([], []))[column].append((o, f))
            elif tower >= 0 and column:
                passed.append(o)
    neutrals = []
    for number in sorted(towers):
        deposits, inside = towers[number]
        eta = float(segmentation.centre_eta(np.array([number]))[0])
        true = sum(f * p["energy"] for p, f in deposits)
        normal = float(stream.normal(np.array([0]), np.array([number]), 0)[0])
        b = np.sqrt(np.log(1 + (sigma(kind, eta, true) / true) ** 2)) if true > 0 else 0.0
        energy = np.exp(np.log(true) - b**2 / 2 + b * normal) if true > 0 else 0.0
        s = sigma(kind, eta, energy)
        if energy < minimum or energy < significance * s:
            energy = 0.0
        on_tracks = sum(f * t["energy"] for t, f in inside)
        variance = sum((t["resolution"] * t["energy"]) ** 2 for t, _ in inside)
        excess = max(energy - on_tracks, 0.0)
        if excess > minimum and excess / np.sqrt(variance + s**2) > significance:
            neutrals.append((number, excess))
            scale = 1.0
        elif on_tracks > 0:
            weight_t, weight_c = (1 / v if v > 0 else 0.0 for v in (variance, s**2))
            scale = (weight_t * on_tracks + weight_c * energy) / (weight_t + weight_c) / on_tracks
        else:
            continue
        for track, _ in inside:
            pt = track["pt"] * scale
            passed.append(
                track | {"pt": pt, "energy": np.sqrt((pt * np.hypot(1, track["slope"])) ** 2 + track["mass"] ** 2)}
            )
    return sorted(passed, key=lambda o: o["item"]), neutrals


def rows(objects) -> list[dict]:
    names = ("item", "pdg_id", "pt", "energy", "slope", "mass", "resolution", "outer_eta", "outer_phi")
    columns = {name: getattr(objects, name).tolist() for name in names}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def test_energy_flow_agrees_with_a_slow_loop(cms, recording):
    modules = dict(cms.modules)
    n_neutrals = n_scaled = 0
    for event in range(6):
        seeds = np.array([event], np.uint64)
        arrays = {GENERATED: one_event(recording.particles, event)}
        for name, module in modules.items():
            made = module.run(*(arrays[i] for i in module.inputs), stream=Stream.of(seeds, name))
            arrays.update(zip(module.outputs, made, strict=True))
        particles, tracks = rows(arrays["ParticlePropagator/stableParticles"]), rows(arrays["TrackMerger/tracks"])
        for kind, neutral in (("ECal", "eflowPhotons"), ("HCal", "eflowNeutralHadrons")):
            stream = Stream.of(seeds, kind)
            before = {t["item"]: t["pt"] for t in tracks}
            tracks, neutrals = slow_calorimeter(kind, modules[kind].segmentation, particles, tracks, stream)
            fast = arrays[f"{kind}/{neutral}"]
            assert fast.item.tolist() == [number for number, _ in neutrals]
            assert fast.energy == pytest.approx([energy for _, energy in neutrals], rel=1e-9)
            flow = arrays[f"{kind}/eflowTracks"]
            order = np.argsort(flow.item)
            assert flow.item[order].tolist() == [t["item"] for t in tracks]
            assert flow.pt[order] == pytest.approx([t["pt"] for t in tracks], rel=1e-9)
            assert flow.energy[order] == pytest.approx([t["energy"] for t in tracks], rel=1e-9)
            n_neutrals += len(neutrals)
            n_scaled += sum(before[t["item"]] != t["pt"] for t in tracks)
    assert n_neutrals > 300
    assert n_scaled > 100


def one_event(particles: Particles, event: int) -> Particles:
    inside = slice(*particles.offsets[event : event + 2])
    columns = {name: getattr(particles, name)[inside] for name in Particles.__slots__ if name != "offsets"}
    return Particles(offsets=offsets_of([len(columns["px"])]), **columns)


def test_the_ideal_detector_conserves_energy(recording):
    """Everything that reaches |eta| <= 5 is a candidate, and tracks are what was generated."""
    ideal = Detector.from_card(CARDS / "ideal.tcl")
    particles = recording.particles
    found = ideal.run(particles, np.arange(100))
    reaches = np.isfinite(recording.outer_eta) & (np.abs(recording.outer_eta) <= 5) & particles.visible
    reaches &= (np.abs(particles.pdg_id) != 13) | (np.abs(recording.outer_eta) <= 2.5)
    event = np.repeat(np.arange(100), np.diff(particles.offsets))
    expected = np.bincount(event[reaches], particles.energy[reaches], minlength=100)
    energy = np.bincount(np.repeat(np.arange(100), np.diff(found.offsets)), found.energy, minlength=100)
    assert energy == pytest.approx(expected, rel=1e-4)
    track = found.charge != 0
    start = np.repeat(particles.offsets[:-1], np.diff(found.offsets))[track]
    assert found.pt[track] == pytest.approx(particles.pt[start + found.origin[track]], rel=1e-9)


TWO_SECTIONS = """
set ExecutionPath {ParticlePropagator Found Calo EFlowMerger}
module ParticlePropagator ParticlePropagator {set Radius 1.29; set HalfLength 3; set Bz 0}
module Merger Found {
  add InputArray ParticlePropagator/chargedHadrons ParticlePropagator/electrons
  set OutputArray tracks
}
module Calorimeter Calo {
  set ParticleInputArray ParticlePropagator/stableParticles
  set TrackInputArray Found/tracks
  foreach p {ECal HCal} { set ${p}EnergyMin 0.5; set ${p}EnergySignificanceMin 0 }
  set SmearTowerCenter %s
  foreach eta {-1 0 1} { add EtaPhiBins $eta {-3.14159265358979 0 3.14159265358979} }
  add EnergyFraction {0} {0.0 1.0}
  add EnergyFraction {22} {1.0 0.0}
  add EnergyFraction {11} {1.0 0.0}
  add EnergyFraction {321} {0.4 0.6}
  set ECalResolutionFormula { 0.0 }
  set HCalResolutionFormula { 0.0 }
}
module Merger EFlowMerger {
  add InputArray Calo/eflowTracks Calo/eflowPhotons Calo/eflowNeutralHadrons
  set OutputArray eflow
}
"""


def merged(*parts: Particles) -> Particles:
    columns = {n: np.concatenate([getattr(p, n) for p in parts]) for n in Particles.__slots__ if n != "offsets"}
    return Particles(offsets=offsets_of([len(columns["px"])]), **columns)


def test_two_sections_share_towers_and_directions(tmp_path):
    """Photon and neutral hadron in one tower: two candidates in one direction; a pion keeps the HCal to itself."""
    card = tmp_path / "two.tcl"
    card.write_text(TWO_SECTIONS % "true")
    detector = Detector.from_card(card)
    particles = merged(gun(22, [10.0], [0.5], [1.0]), gun(130, [20.0], [0.6], [2.0]), gun(211, [5.0], [-0.5], [-1.0]))
    found = detector.run(particles, [3])
    assert found.pdg_id.tolist() == [211, 22, 0]
    assert found.energy == pytest.approx(particles.energy[[2, 0, 1]])
    assert (found.eta[1], found.phi[1]) == pytest.approx((found.eta[2], found.phi[2]))
    card.write_text(TWO_SECTIONS % "false")
    middle = Detector.from_card(card).run(particles, [3])
    assert (middle.eta[1], middle.phi[1]) == pytest.approx((0.5, np.pi / 2))


def test_tracks_that_leave_energy_in_both_sections_are_lost_as_in_delphes(tmp_path):
    card = tmp_path / "two.tcl"
    card.write_text(TWO_SECTIONS % "true")
    kaon = gun(321, [10.0], [0.5], charge=1.0)
    found = Detector.from_card(card).run(kaon, [1])
    assert found.pdg_id.tolist() == [22, 0]
    assert found.energy == pytest.approx(kaon.energy * [0.4, 0.6])


# Batches


def test_what_an_event_gives_does_not_depend_on_the_batch(cms, recording):
    particles, seeds = recording.particles, np.arange(100) * 7919
    together = cms.run(particles, seeds)
    order = np.random.default_rng(1).permutation(100)[:20]
    for event in order:
        alone = cms.run(one_event(particles, event), [int(seeds[event])])
        inside = slice(*together.offsets[event : event + 2])
        for name in type(together).__dataclass_fields__:
            if name != "offsets":
                assert np.array_equal(getattr(alone, name), getattr(together, name)[inside]), name


def test_other_seeds_give_other_candidates(cms, recording):
    event = one_event(recording.particles, 0)
    assert cms.run(event, [1]).energy.tolist() != cms.run(event, [2]).energy.tolist()
    assert cms.run(event, [2**64 - 1]).n_events == 1


def test_empty_events_and_empty_batches(cms, recording):
    event = one_event(recording.particles, 0)
    n = len(event.px)
    columns = {name: getattr(event, name) for name in Particles.__slots__ if name != "offsets"}
    found = cms.run(Particles(offsets=np.array([0, 0, n, n]), **columns), [1, 5, 2])
    assert np.diff(found.offsets)[[0, 2]].tolist() == [0, 0]
    assert found.energy.tolist() == cms.run(event, [5]).energy.tolist()
    nothing = {name: column[:0] for name, column in columns.items()}
    assert cms.run(Particles(offsets=np.array([0]), **nothing), []).n_events == 0
    assert cms.run(Particles(offsets=np.array([0, 0]), **nothing), [1]).offsets.tolist() == [0, 0]


def test_an_event_with_50000_particles(cms, recording):
    every = recording.particles
    columns = {name: getattr(every, name)[:50_000] for name in Particles.__slots__ if name != "offsets"}
    found = cms.run(Particles(offsets=np.array([0, 50_000]), **columns), [1])
    assert 10_000 < len(found.px) < 50_000
    assert np.isfinite(found.energy).all()


def test_candidates_can_be_selected(cms, recording):
    found = cms.run(recording.particles, np.arange(100))
    photons = found.select(found.pdg_id == 22)
    assert type(photons) is type(found)
    assert photons.n_events == 100
    assert (photons.origin == -1).all()
    assert found.visible.all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"px": np.nan}, r"event 1, particle 0 \(PDG id 211\): px = nan"),
        ({"energy": np.inf}, "energy = inf"),
        ({"energy": 1.0}, "not below the momentum"),
        ({"energy": -10.0}, "an energy above 0"),
        ({"vz": np.nan}, "vz = nan"),
    ],
)
def test_unphysical_particles_are_refused(cms, change, message):
    good, bad = gun(211, [5.0], [0.0]), gun(211, [5.0], [0.0], **change)
    columns = {n: np.concatenate([getattr(p, n) for p in (good, bad)]) for n in Particles.__slots__ if n != "offsets"}
    with pytest.raises(InputError, match=message):
        cms.run(Particles(offsets=np.array([0, 1, 2]), **columns), [1, 2])


@pytest.mark.parametrize(
    ("seeds", "message"),
    [
        ([], "0 detector seeds for 1 events"),
        ([-1], "seed -1 of event 0"),
        ([2**64], "want a whole number"),
        ([0.5], "0.5"),
    ],
)
def test_wrong_seeds_are_refused(cms, seeds, message):
    with pytest.raises(InputError, match=message):
        cms.run(gun(211, [5.0], [0.0]), seeds)
