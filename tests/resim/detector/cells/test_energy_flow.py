"""Particle flow: what is taken out of clusters, and what the subtracted energy is measured to be."""

import numpy as np
import pytest

from resim.common.angles import wrap
from resim.detector.cells.cell_detector import CellDetector
from resim.detector.cells.energy_flow import EnergyFlow
from resim.detector.cells.readout import Clusters, Tracks
from resim.detector.cells.tracker import crossings
from resim.detector.objects import Objects
from tests.helpers.chain import REPOSITORY
from tests.helpers.particles import gun

COCOA = REPOSITORY / "cards/calorimeter/cocoa.yaml"


@pytest.fixture(scope="module")
def flow(cocoa) -> EnergyFlow:
    """Pions leave exactly all of their energy, within 10 %."""
    card = cocoa.card
    exact = card.flow.model_copy(update={"response": "1", "spread": "0.1"})
    return EnergyFlow.of(card.model_copy(update={"flow": exact}), cocoa.stack)


def clusters(energy: list[float], eta: list[float], em: float = 1.0) -> Clusters:
    n = len(energy)
    layers = np.zeros((n, 6))
    layers[:, 1], layers[:, 4] = em * np.array(energy), (1 - em) * np.array(energy)
    zeros = np.zeros(n)
    return Clusters(
        zeros.astype(int), np.array(energy), np.array(eta), zeros, zeros, zeros, layers, zeros.astype(int)
    )


def tracks(pt: list[float], eta: list[float], pdg_id: int = 211) -> Tracks:
    n = len(pt)
    objects = Objects.of(
        event=np.zeros(n, int), item=np.arange(n), pdg_id=np.full(n, pdg_id, np.int32), pt=np.array(pt), ux=np.ones(n)
    )
    crossing = np.repeat(np.array(eta, float)[:, None], 6, axis=1)
    return Tracks(objects, crossing, np.zeros((n, 6)))


def test_a_cluster_as_large_as_expected_goes(flow):
    assert len(flow.neutral(tracks([10.0], [0.0]), clusters([11.0], [0.01]), 1)) == 0


def test_what_is_beyond_stays(flow):
    left = flow.neutral(tracks([10.0], [0.0]), clusters([20.0], [0.01]), 1)
    assert left.energy.tolist() == [10.0]
    assert left.pt == pytest.approx(10 / np.cosh(0.01))
    assert left.pdg_id.tolist() == [22]


def test_the_nearest_cluster_gives_first(flow):
    left = flow.neutral(tracks([10.0], [0.0]), clusters([6.0, 9.0, 5.0], [0.02, 0.10, 0.30]), 1)
    assert left.item.tolist() == [1, 2]
    assert left.energy == pytest.approx([5.0, 5.0])


def test_a_track_without_a_matching_cluster_takes_nothing(flow):
    left = flow.neutral(tracks([10.0], [0.0]), clusters([8.0], [0.15], em=0.2), 1)
    assert left.energy.tolist() == [8.0]
    assert left.pdg_id.tolist() == [0]


def test_muons_take_what_they_ionize(flow):
    left = flow.neutral(tracks([100.0], [0.0], pdg_id=13), clusters([50.0], [0.0]), 1)
    assert left.energy == pytest.approx([50 - flow.ionization])
    assert flow.ionization == pytest.approx(1.6, abs=0.1)


def test_no_tracks_and_no_clusters(flow):
    assert flow.neutral(tracks([], []), clusters([3.0], [0.0]), 2).energy.tolist() == [3.0]
    assert len(flow.neutral(tracks([], []), clusters([], []), 2)) == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "energy"),
    [*(("cocoa", energy) for energy in (2.0, 5.0, 20.0, 100.0)), ("cocoa_coarse", 5.0), ("cocoa_noisy", 5.0)],
)
def test_the_response_of_a_shipped_card_is_that_of_its_calorimeter(name, energy):
    """Energy in clusters within 0.2 of pions in the barrel against the formulas; errors are 0.015 at 2 GeV, less above."""
    n, cocoa = 600, CellDetector.from_card(COCOA.with_stem(name))
    eta = np.linspace(-1.2, 1.2, n)
    particles = gun(211, energy / np.cosh(eta), eta, np.linspace(-3, 3, n))
    found = cocoa.read_out(particles, np.arange(n)).clusters
    _, arrivals = cocoa._arrivals(particles)
    axis = [angle[:, 1] for angle in crossings(arrivals, cocoa.stack)]
    assert np.array_equal(arrivals.event, np.arange(n))
    near = np.hypot(found.eta - axis[0][found.event], wrap(found.phi - axis[1][found.event])) < 0.2
    response = np.bincount(found.event[near], found.energy[near], n) / energy
    columns = {"energy": np.array([energy])}
    assert response.mean() == pytest.approx(cocoa.flow.response(columns, 1)[0], abs=0.03)
    assert response.std() == pytest.approx(cocoa.flow.spread(columns, 1)[0], abs=0.03)
