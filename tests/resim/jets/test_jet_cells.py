"""Cells, clusters and tracks of jets against a slow loop over all of them."""

import numpy as np
import pytest

from resim.detector.cells.cell_detector import CellDetector
from resim.jets.jet_cells import CellsOfJets, JetAxes, cells_of_jets
from tests.helpers.chain import REPOSITORY
from tests.helpers.delphes_recording import load_recording
from tests.helpers.particles import part

RADIUS = 0.6


@pytest.fixture(scope="module")
def readout():
    detector = CellDetector.from_card(REPOSITORY / "cards/calorimeter/cocoa.yaml")
    particles = part(load_recording(REPOSITORY / "tests/data/delphes_qcd.npz").particles, 0, 4)
    return detector.read_out(particles, np.arange(4))


@pytest.fixture(scope="module")
def jets(readout) -> JetAxes:
    """The hardest clusters of three of the four events, one at the border of the azimuth, and one far from everything."""
    hardest = [np.flatnonzero(readout.clusters.event == e)[0] for e in (3, 0, 0)]
    eta, phi = readout.clusters.eta[hardest], readout.clusters.phi[hardest]
    phi[1] = np.pi
    return JetAxes(np.array([3, 0, 0, 1]), np.append(eta, 9.0), np.append(phi, 0.0))


@pytest.fixture(scope="module")
def found(readout, jets) -> CellsOfJets:
    return cells_of_jets(readout, jets, RADIUS)


def distance(eta, phi, jets: JetAxes, i: int):
    return np.hypot(eta - jets.eta[i], (phi - jets.phi[i] + np.pi) % (2 * np.pi) - np.pi)


def rows(group, i: int) -> dict[str, np.ndarray]:
    return {name: column[group.offsets[i] : group.offsets[i + 1]] for name, column in group.columns.items()}


@pytest.mark.parametrize("i", range(4))
def test_jets_have_the_clusters_within_their_radius_and_the_cells_of_these(readout, jets, found, i):
    clusters, hits = readout.clusters, readout.hits
    near = (clusters.event == jets.event[i]) & (distance(clusters.eta, clusters.phi, jets, i) < RADIUS)
    expected = np.flatnonzero(near)[np.argsort(-clusters.energy[near])]
    assert rows(found.clusters, i)["energy"].tolist() == clusters.energy[expected].tolist()
    mine = rows(found.cells, i)
    for number, cluster in enumerate(expected):
        own = hits.cluster == cluster
        inside = mine["cluster"] == number
        assert mine["energy"][inside].tolist() == sorted(hits.energy[own], reverse=True)
        assert sorted(mine["layer"][inside].tolist()) == sorted(hits.layer[own].tolist())
    assert len(mine["energy"]) == clusters.n_cells[expected].sum()
    assert (i < 3) == (len(expected) > 0)


@pytest.mark.parametrize("i", range(4))
def test_jets_have_the_tracks_within_their_radius(readout, jets, found, i):
    tracks = readout.tracks.objects
    near = (tracks.event == jets.event[i]) & (distance(tracks.eta, tracks.phi, jets, i) < RADIUS)
    expected = np.flatnonzero(near)[np.argsort(-tracks.pt[near])]
    mine = rows(found.tracks, i)
    assert mine["phi"] == pytest.approx(tracks.phi[expected])
    momentum = np.abs(1 / mine["q_over_p"])
    assert momentum * np.sin(mine["theta"]) == pytest.approx(tracks.pt[expected])
    assert np.sign(mine["q_over_p"]).tolist() == tracks.charge[expected].tolist()
    assert mine["last_eta"].tolist() == readout.tracks.eta[expected, 5].tolist()


def test_no_jets_have_nothing(readout):
    nothing = cells_of_jets(readout, JetAxes(np.empty(0, np.int64), np.empty(0), np.empty(0)), RADIUS)
    for group in (nothing.cells, nothing.clusters, nothing.tracks):
        assert group.offsets.tolist() == [0]
        assert all(len(column) == 0 for column in group.columns.values())
