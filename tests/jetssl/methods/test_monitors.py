"""Monitors of collapse and shortcuts, on embeddings whose answers are known."""

import pytest
import torch

from jetssl.methods import monitors
from jetssl.methods.monitors import alignment, effective_rank, spread, uniformity
from tests.helpers.toys import normal


@pytest.mark.parametrize("rank", [1, 3, 8])
def test_effective_rank_of_isotropic_subspaces(rank):
    """Equal singular values: the rank; a shift of all changes nothing."""
    basis = torch.linalg.qr(normal(64, rank + 1) - normal(64, rank + 1).mean(0)).Q[:, :rank]
    basis = torch.linalg.qr(basis - basis.mean(0)).Q
    vectors = basis @ torch.linalg.qr(normal(8, rank)).Q.T
    assert effective_rank(vectors + 5).item() == pytest.approx(rank, rel=1e-3)


def test_effective_rank_of_a_point():
    assert effective_rank(torch.ones(5, 3)).item() == 1


def test_effective_rank_equals_singular_values():
    vectors = normal(50, 9) @ torch.diag(torch.logspace(0, -3, 9))
    values = torch.linalg.svdvals((vectors - vectors.mean(0)).double())
    share = values / values.sum()
    wanted = (-share * share.log()).sum().exp()
    assert effective_rank(vectors).item() == pytest.approx(wanted.item(), rel=1e-5)


def test_effective_rank_of_rounding_is_that_of_a_point():
    assert effective_rank(torch.full((7, 5), 0.1)).item() == 1


def test_spread_out_and_collapsed():
    one, other = normal(2000, 16), normal(2000, 16, seed=2)
    wide = spread(torch.cat([one, other]))
    assert wide.std.item() == pytest.approx(1, abs=0.03)
    assert 0.9 < wide.std_min.item() <= wide.std.item()
    assert wide.effective_rank.item() > 15
    assert alignment(one, other).item() == pytest.approx(2, abs=0.05)
    point = torch.ones(9, 4)
    assert [value.item() for value in spread(point)] == pytest.approx([0, 0, 1], abs=1e-6)
    assert (alignment(point, point).item(), uniformity(point).item()) == pytest.approx((0, 0), abs=1e-6)


def test_one_dead_dimension_is_seen():
    vectors = normal(500, 8)
    vectors[:, 3] = 0
    found = spread(vectors)
    assert found.std_min.item() == 0
    assert found.std.item() > 0.8
    assert 6 < found.effective_rank.item() <= 7


@pytest.mark.parametrize("block", [1, 7, 40, 1024])
def test_uniformity_equals_all_distances(monkeypatch, block):
    monkeypatch.setattr(monitors, "ROWS_AT_ONCE", block)
    vectors = normal(40, 5) + 0.5
    unit = torch.nn.functional.normalize(vectors, dim=1)
    wanted = torch.pdist(unit).square().mul(-2).exp().mean().log()
    assert uniformity(vectors).item() == pytest.approx(wanted.item(), abs=1e-5)
