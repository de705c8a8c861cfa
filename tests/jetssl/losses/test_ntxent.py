import math

import pytest
import torch
from pytorch_metric_learning import losses
from torch.nn import functional

from jetssl.losses.ntxent import ntxent


@pytest.fixture
def views():
    generator = torch.Generator().manual_seed(3)
    return torch.randn(2, 6, 5, generator=generator)


def slow_ntxent(first, second, temperature):
    """Algorithm 1 of arXiv:2002.05709, one pair of embeddings at a time."""
    z = [row for pair in zip(first, second, strict=True) for row in pair]

    def similarity(i, j):
        return torch.dot(z[i], z[j]) / (z[i].norm() * z[j].norm())

    def loss(i, j):
        others = sum(torch.exp(similarity(i, k) / temperature) for k in range(len(z)) if k != i)
        return -torch.log(torch.exp(similarity(i, j) / temperature) / others)

    n = len(first)
    return sum(loss(2 * k, 2 * k + 1) + loss(2 * k + 1, 2 * k) for k in range(n)) / (2 * n)


@pytest.mark.parametrize("temperature", [0.05, 0.5, 2.0])
def test_equals_slow_loop(views, temperature):
    torch.testing.assert_close(ntxent(*views, temperature), slow_ntxent(*views, temperature))


def test_equals_installed_library(views):
    rows = torch.arange(6).repeat(2)
    theirs = losses.NTXentLoss(temperature=0.2)(views.reshape(12, 5), rows)
    torch.testing.assert_close(ntxent(*views, 0.2), theirs)


def test_symmetric_in_views_and_rows(views):
    order = torch.tensor([3, 1, 5, 0, 2, 4])
    torch.testing.assert_close(ntxent(views[0], views[1], 0.1), ntxent(views[1], views[0], 0.1))
    torch.testing.assert_close(ntxent(views[0], views[1], 0.1), ntxent(views[0][order], views[1][order], 0.1))


def test_hand_values():
    basis = torch.eye(2)
    # Partner at cosine 1, the two others at cosine 0.
    assert ntxent(basis, basis, 1.0).item() == pytest.approx(math.log(math.e + 2) - 1)
    same = torch.ones(4, 3)
    assert ntxent(same, same, 0.1).item() == pytest.approx(math.log(2 * 4 - 1))


def test_single_precision_under_autocast(views):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = ntxent(*views.bfloat16(), 0.1)
    assert loss.dtype == torch.float32


def test_double_precision_stays(views):
    assert ntxent(*views.double(), 0.1).dtype == torch.float64


def test_scale_of_embeddings_does_not_matter(views):
    torch.testing.assert_close(ntxent(*views, 0.1), ntxent(*functional.normalize(views, dim=2), 0.1))


def test_refuses_one_row(views):
    with pytest.raises(ValueError, match="at least 2 rows"):
        ntxent(views[0][:1], views[1][:1], 0.1)


def test_rows_count_by_their_weights(views):
    """A batch of rows with weight 1, and rows that only the others are compared with."""
    weights = torch.tensor([1.0, 2.0, 0.0, 3.0, 1.0, 0.5])
    torch.testing.assert_close(ntxent(*views, 0.5, torch.ones(6)), ntxent(*views, 0.5))
    alone = torch.stack([ntxent(*views, 0.5, one) for one in torch.eye(6)])
    torch.testing.assert_close(ntxent(*views, 0.5, weights), (alone * weights).sum() / weights.sum())
    torch.testing.assert_close(alone.mean(), ntxent(*views, 0.5))
