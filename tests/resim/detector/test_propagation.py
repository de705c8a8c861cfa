"""Propagation against known answers and an integration of the Lorentz force."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resim.detector import Detector
from resim.detector.propagation import SPEED_OF_LIGHT, Cylinder, Start, helix, straight
from tests.helpers.particles import gun

ROOT = Path(__file__).parents[3]


CARDS = ROOT / "cards/delphes"


TRACKER = Cylinder(1.29, 3.0)


FIELD = 3.8


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


@pytest.mark.slow
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
