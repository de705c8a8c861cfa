"""Places, directions and energies at the surface, against numerical derivatives of the paths."""

import numpy as np
import pytest

from resim.detector.cells.arrivals import Arrivals
from resim.detector.propagation import Cylinder, ParticlePropagator
from resim.detector.random import Stream
from tests.helpers.particles import gun

RADIUS, HALF_LENGTH = 1500.0, 3000.0


def arrivals(particles, scale: float = 1.0) -> Arrivals:
    inside = Cylinder(1e-3 * RADIUS * scale, 1e-3 * HALF_LENGTH * scale)
    propagator = ParticlePropagator(("particles",), ("all",), inside, inside, 3.8)
    objects = propagator.run(particles, stream=Stream(np.empty(0, np.uint64), 0))[0]
    return Arrivals.of(objects, RADIUS * scale, HALF_LENGTH * scale)


def test_directions_are_the_derivatives_of_the_paths():
    """Helices from displaced vertices through the barrel and the end caps: the step to a slightly larger surface."""
    particles = gun(211, [1.2, 2.0, 0.7, 5.0, 40.0], [0.3, -1.0, 2.2, 2.0, 0.9], [0, 1, 2, -3, 3], vx=10.0, vy=-20.0)
    here, beyond = arrivals(particles), arrivals(particles, 1 + 1e-6)
    step = beyond.position - here.position
    assert here.direction == pytest.approx(step / np.linalg.norm(step, axis=1)[:, None], abs=1e-4)
    assert np.linalg.norm(here.direction, axis=1) == pytest.approx(1)
    radius, z = np.hypot(*here.position[:, :2].T), np.abs(here.position[:, 2])
    assert np.maximum(radius / RADIUS, z / HALF_LENGTH) == pytest.approx(1)


def test_neutral_particles_from_the_centre_fly_along_the_line_from_it():
    found = arrivals(gun(22, [3.0, 3.0], [0.2, -2.5]))
    assert found.cosine == pytest.approx(1)
    assert found.direction == pytest.approx(found.position / np.linalg.norm(found.position, axis=1)[:, None])


@pytest.mark.parametrize(
    ("pdg_id", "extra"), [(211, 0.0), (2212, -1.0), (-2112, 1.0), (3122, -1.0), (130, 0.0), (22, 0.0)]
)
def test_baryons_keep_their_mass_and_antibaryons_annihilate(pdg_id, extra):
    particles = gun(pdg_id, [4.0], [0.1], mass=0.9)
    assert arrivals(particles).energy == pytest.approx(particles.energy + 0.9 * extra)
