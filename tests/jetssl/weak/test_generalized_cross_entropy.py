import pytest
import torch

from jetssl.weak.cross_entropy import cross_entropy
from jetssl.weak.generalized_cross_entropy import generalized_cross_entropy
from tests.helpers.toys import normal


def test_against_a_slow_loop():
    logits, labels = normal(5, 3), [0, 2, 1, 1, 0]
    expected = []
    for row, label in zip(logits, labels, strict=True):
        p = torch.exp(row[label]) / torch.exp(row).sum()
        expected.append((1 - p**0.7) / 0.7)
    torch.testing.assert_close(generalized_cross_entropy(logits, torch.eye(3)[labels]), torch.stack(expected))


def test_small_q_is_the_cross_entropy():
    logits, targets = normal(5, 3).double(), torch.eye(3, dtype=torch.double)[[0, 2, 1, 1, 0]]
    torch.testing.assert_close(
        generalized_cross_entropy(logits, targets, 1e-9), cross_entropy(logits, targets), rtol=1e-6, atol=1e-6
    )


def minimum(loss, noise):
    """P(class 1) of jets of class 0 and of class 1 with the smallest loss over their noisy labels."""
    found = []
    for own, rate in zip((0, 1), noise, strict=True):
        grid = torch.linspace(-12, 12, 2401)
        logits = torch.stack([torch.zeros_like(grid), grid], -1)
        risk = sum(
            weight * loss(logits, torch.eye(2)[label].expand(len(grid), 2))
            for label, weight in ((own, 1 - rate), (1 - own, rate))
        )
        found.append(torch.sigmoid(grid[risk.argmin()]).item())
    return found


@pytest.mark.parametrize("noise", [(0.1, 0.1), (0.4, 0.4), (0.1, 0.4)])
def test_noise_does_not_move_the_minimum_of_the_mean_absolute_error(noise):
    """Two points: without noise the answer is 0 and 1; the cross-entropy ends at the noise rates instead."""
    assert minimum(lambda *a: generalized_cross_entropy(*a, q=1.0), noise) == pytest.approx([0, 1], abs=1e-4)
    assert minimum(cross_entropy, noise) == pytest.approx([noise[0], 1 - noise[1]], abs=0.01)
