"""Clusters of cells: sums and means against slow loops, across the border of the azimuth."""

import numpy as np
import pytest

from resim.detector.cells.readout import CellHits, clusters_of


def test_clusters_are_the_means_of_their_cells():
    hits = CellHits(
        event=np.array([0, 0, 0, 2, 2]),
        layer=np.array([0, 1, 1, 0, 0]),
        eta=np.array([0.1, 0.3, 1.0, -2.0, -2.2]),
        phi=np.array([3.1, -3.1, 0.5, 1.0, 1.2]),
        energy=np.array([1.0, 3.0, 2.0, 4.0, 4.0]),
        cluster=np.array([0, 0, 1, 2, 2]),
    )
    found = clusters_of(hits, 2)
    assert found.event.tolist() == [0, 0, 2]
    assert found.energy.tolist() == [4, 2, 8]
    assert found.eta == pytest.approx([0.25, 1.0, -2.1])
    assert found.phi == pytest.approx([3.1 + 0.75 * (2 * np.pi - 6.2) - 2 * np.pi, 0.5, 1.1])
    assert found.sigma_eta == pytest.approx([0.2 * np.sqrt(3) / 4, 0, 0.1])
    assert found.sigma_phi == pytest.approx([(2 * np.pi - 6.2) * np.sqrt(3) / 4, 0, 0.1])
    assert found.layer_energy.tolist() == [[1, 3], [0, 2], [8, 0]]
    assert found.n_cells.tolist() == [2, 1, 2]
    assert found.offsets(4).tolist() == [0, 2, 2, 3, 3]


def test_no_cells_are_no_clusters():
    nothing = np.empty(0, np.int64)
    hits = CellHits(nothing, nothing, nothing * 1.0, nothing * 1.0, nothing * 1.0, nothing)
    found = clusters_of(hits, 6)
    assert len(found) == 0
    assert found.layer_energy.shape == (0, 6)
