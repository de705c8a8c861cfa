import json
from pathlib import Path

import numpy as np
import pytest
import torch

from jetssl.data.jets import gather_jets
from jetssl.evaluation.efp import DEGREE, connected_graphs, energy_flow_polynomials, polynomial, polynomials, products

RECORDED = json.loads((Path(__file__).parents[2] / "data/efp.json").read_text())
"""Of EnergyFlow (arXiv:1810.05165), see `tests/helpers/record_efp.py`."""


def share_and_angle(jets):
    """Padded, in double precision."""
    padded = torch.zeros(len(jets), max(map(len, jets)), 3, dtype=torch.float64)
    for row, jet in zip(padded, jets, strict=True):
        row[: len(jet)] = torch.tensor(jet)[:, :3]
    share = padded[..., 0] / padded[..., 0].sum(1, keepdim=True)
    return share, torch.linalg.vector_norm(padded[:, :, None, 1:] - padded[:, None, :, 1:], dim=-1)


def test_each_graph_as_in_energyflow():
    share, angle = share_and_angle(RECORDED["jets"])
    graphs = [graph for graph in RECORDED["connected"] if graph["edges"]]
    assert len(graphs) == sum(len(connected_graphs(edges)) for edges in range(1, DEGREE + 1)) == 53
    for graph in graphs:
        edges = tuple(map(tuple, graph["edges"]))
        found = polynomial(edges, share, [angle**power for power in range(1, 6)])
        np.testing.assert_allclose(found, graph["values"], rtol=1e-7, atol=1e-15, err_msg=str(edges))


def test_all_of_them_as_in_energyflow():
    found = polynomials(*share_and_angle(RECORDED["jets"])).sort(dim=1).values
    expected = [row[:-1] for row in RECORDED["all"]]  # the last is 1, of the graph without edges
    assert [row[-1] for row in RECORDED["all"]] == [1, 1, 1]
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-15)


def test_by_hand():
    """Two constituents of shares x and 1 - x at distance d: an edge gives 2 x (1 - x) d."""
    share, angle = torch.tensor([[0.25, 0.75]]), torch.tensor([[[0.0, 0.4], [0.4, 0.0]]])
    powers = [angle, angle**2]
    assert float(polynomial(((0, 1),), share, powers)) == pytest.approx(0.15)
    assert float(polynomial(((0, 1), (0, 1)), share, powers)) == pytest.approx(0.06)
    assert float(polynomial(((0, 1), (0, 2), (1, 2)), share, powers)) == 0


def test_of_a_pair_file(table):
    values = energy_flow_polynomials(table, 0)
    assert values.shape == (table.rows.n_rows, len(products(DEGREE)))
    valid = table.rows.valid[0]
    assert not values[~valid].any()
    for row in np.flatnonzero(valid)[::40]:
        jets = gather_jets(table, np.zeros(1, int), np.array([row]))
        share, angle = share_and_angle([np.stack([jets.pt, jets.d_eta, jets.d_phi], axis=1).astype(float)])
        np.testing.assert_allclose(values[row], polynomials(share, angle)[0], rtol=1e-3, atol=1e-7)
