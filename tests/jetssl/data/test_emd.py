"""The energy mover's distance against answers known by hand, its axioms, and a linear program of our own."""

import numpy as np
import pytest
from scipy.optimize import linprog

from jetssl.data.emd import EnergyFlow, bounding_numbers, energy_movers_distance, flows
from tests.helpers.toys import make_jets

RADIUS = 0.8


def flow(*particles):
    """Of (pT, eta, phi)."""
    values = np.array(particles, float)
    return EnergyFlow(values[:, 0], values[:, 1:])


@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [
        (flow((10, 0, 0)), flow((10, 0.4, 0)), 10 * 0.4 / RADIUS),
        (flow((10, 0, 0)), flow((7, 0, 0)), 3),
        (flow((10, 0, 0)), flow((4, 0.3, 0), (6, 0, 0.4)), (4 * 0.3 + 6 * 0.4) / RADIUS),
        (flow((10, 0, 0)), flow((7, 0, 0.4)), 7 * 0.5 + 3),
        (flow((5, 0.1, 0), (5, -0.1, 0)), flow((5, -0.1, 0), (5, 0.1, 0)), 0),
    ],
)
def test_known_answers(first, second, wanted):
    assert energy_movers_distance(first, second, RADIUS) == pytest.approx(wanted, abs=1e-9)


def program(first, second):
    """Equation 1 of arXiv:1902.02346 as it stands: flows leave no more than there is, and all that can be moved is."""
    n, m = len(first.pt), len(second.pt)
    angles = np.linalg.norm(first.place[:, None] - second.place[None], axis=2).ravel() / RADIUS
    leaving = np.kron(np.eye(n), np.ones(m))
    arriving = np.kron(np.ones(n), np.eye(m))
    sums = first.pt.sum(), second.pt.sum()
    limits = np.concatenate([first.pt, second.pt])
    moved = linprog(angles, np.concatenate([leaving, arriving]), limits, np.ones((1, n * m)), [min(sums)])
    return moved.fun + abs(sums[0] - sums[1])


@pytest.fixture(scope="module")
def jets():
    return make_jets(np.random.default_rng(5), [6, 4, 9, 1, 5])


def test_it_is_the_linear_program_of_the_paper(jets):
    for first in flows(jets):
        for second in flows(jets):
            wanted = program(first, second)
            assert energy_movers_distance(first, second, RADIUS) == pytest.approx(wanted, rel=1e-6, abs=1e-6)


def test_it_is_a_metric_and_the_bounds_hold(jets):
    of = flows(jets)
    distance = np.array([[energy_movers_distance(one, other, RADIUS) for other in of] for one in of])
    assert distance == pytest.approx(distance.T, abs=1e-6)
    assert np.diag(distance) == pytest.approx(0, abs=1e-6)
    assert (distance[:, None, :] <= distance[:, :, None] + distance[None] + 1e-6).all()
    numbers = bounding_numbers(jets, RADIUS)
    bounds = np.abs(numbers[:, None] - numbers[None]).max(2)
    assert (bounds <= distance + 1e-4).all()
    assert (bounds > 0).sum() == len(of) * (len(of) - 1)
