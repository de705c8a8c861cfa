import math

import pytest
import torch
from pytorch_metric_learning import losses

from jetssl.losses.ntxent import ntxent
from jetssl.losses.supcon import supcon

LABELS = torch.tensor([0, 1, 0, 2, 1, 0, 3])  # 2 and 3 are alone


@pytest.fixture
def embeddings():
    return torch.randn(7, 5, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def slow_supcon(embeddings, labels, temperature):
    """Eq. 2 of arXiv:2004.11362, one anchor at a time."""
    z = [row / row.norm() for row in embeddings]
    losses = []
    for i in range(len(z)):
        partners = [p for p in range(len(z)) if p != i and labels[p] == labels[i]]
        others = sum(torch.exp(torch.dot(z[i], z[a]) / temperature) for a in range(len(z)) if a != i)
        logs = [torch.log(torch.exp(torch.dot(z[i], z[p]) / temperature) / others) for p in partners]
        if partners:
            losses.append(-sum(logs) / len(partners))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("temperature", [0.05, 0.5, 2.0])
def test_equals_slow_loop(embeddings, temperature):
    wanted = slow_supcon(embeddings, LABELS, temperature)
    torch.testing.assert_close(supcon(embeddings, LABELS, temperature), wanted)


def test_equals_installed_library(embeddings):
    theirs = losses.SupConLoss(temperature=0.2)(embeddings, LABELS)
    torch.testing.assert_close(supcon(embeddings, LABELS, 0.2), theirs)


def test_is_ntxent_if_every_row_is_a_class(embeddings):
    first, second = embeddings[:3], embeddings[3:6]
    found = supcon(torch.cat([first, second]), torch.arange(3).repeat(2), 0.1)
    torch.testing.assert_close(found, ntxent(first, second, 0.1))


def test_hand_value():
    same = torch.ones(6, 3)
    assert supcon(same, torch.zeros(6, dtype=torch.int64), 0.1).item() == pytest.approx(math.log(5))


def test_gradient_is_finite_with_lonely_classes(embeddings):
    embeddings.requires_grad_()
    supcon(embeddings, LABELS, 0.1).backward()
    assert torch.isfinite(embeddings.grad).all()


def test_single_precision_under_autocast(embeddings):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert supcon(embeddings.bfloat16(), LABELS, 0.1).dtype == torch.float32


def test_nothing_is_known_of_classes_of_one(embeddings):
    assert supcon(embeddings, torch.arange(7), 0.1).isnan()


def test_embeddings_count_by_their_weights(embeddings):
    """Those without a partner count nothing, whatever their weight."""
    weights = torch.tensor([1.0, 2.0, 0.5, 9.0, 1.0, 3.0, 9.0], dtype=torch.float64)
    alone = [supcon(embeddings, LABELS, 0.5, one) for one in torch.eye(7, dtype=torch.float64)]
    partnered = [0, 1, 2, 4, 5]
    wanted = sum(alone[i] * weights[i] for i in partnered) / weights[partnered].sum()
    torch.testing.assert_close(supcon(embeddings, LABELS, 0.5, weights), wanted)
    torch.testing.assert_close(sum(alone[i] for i in partnered) / 5, supcon(embeddings, LABELS, 0.5))
