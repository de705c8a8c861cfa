import numpy as np
import pytest
import torch

from jetssl.weak.co_teaching import co_teaching, exchanged, kept_share
from jetssl.weak.cross_entropy import cross_entropy
from jetssl.weak.label_noise import corrupt, symmetric
from jetssl.weak.methods import Training
from tests.helpers.gaussians import gaussians, labelled_jets, linear_trainer
from tests.helpers.toys import normal


def test_against_a_slow_loop():
    logits, targets = normal(10, 2, 2), torch.eye(2)[[0, 1] * 5]
    kept = round(kept_share(0.3, 1.0) * 10)
    losses = [[cross_entropy(logits[i, m][None], targets[i][None]).item() for i in range(10)] for m in range(2)]
    easy = [sorted(range(10), key=lambda i, m=m: losses[m][i])[:kept] for m in range(2)]
    expected = sum(sum(losses[m][i] for i in easy[1 - m]) / kept for m in range(2))
    assert co_teaching(logits, targets, 0.3, 1.0).item() == pytest.approx(expected)


def test_no_gradient_goes_through_the_choice():
    losses = normal(8, 2).abs().requires_grad_()
    assert not exchanged(losses, 0.5).requires_grad


def test_at_first_all_jets_count():
    assert kept_share(0.4, 0.0) == 1
    assert exchanged(normal(8, 2), 1.0).tolist() == [[0.125, 0.125]] * 8


def test_what_is_kept_is_clean(rng):
    """Classes 6 widths apart, 3 of 10 labels wrong: of the kept 7 of 10 nearly none."""
    points, classes = gaussians(rng, 8000)
    points[:, 0] += 2 * (2 * classes - 1)
    noise = symmetric(0.3)
    noisy = corrupt(classes, noise, rng)
    labelled, held_out = labelled_jets(noisy)
    trainer = linear_trainer(points)
    student = Training(trainer, labelled, held_out, (1,)).noisy("co_teaching", noise)
    with torch.no_grad():
        losses = cross_entropy(student(*trainer.inputs(labelled.rows, None)), torch.tensor(labelled.targets)[:, None])
    for network in range(2):
        kept = exchanged(losses, 0.69)[:, network].numpy() > 0
        wrong = (noisy != classes)[labelled.rows]
        assert wrong.mean() == pytest.approx(0.3, abs=0.03)
        assert wrong[kept].mean() < 0.01
    assert np.isfinite(losses.numpy()).all()
