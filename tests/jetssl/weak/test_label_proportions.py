import numpy as np
import pytest
import torch
from scipy.stats import norm

from jetssl.common.roc import auc
from jetssl.weak.label_proportions import proportion_loss
from jetssl.weak.methods import Training, from_proportions
from jetssl.weak.mixed_samples import draw_mixtures
from jetssl.weak.student import LabelledJets
from tests.helpers.gaussians import gaussians, linear_trainer
from tests.helpers.toys import normal


def test_against_a_slow_loop():
    logits, sample = normal(7, 2), [0, 0, 1, 1, 1, 0, 1]
    known = torch.tensor([[0.3, 0.7], [0.8, 0.2]])
    losses = []
    for index, fractions in enumerate(known):
        members = [torch.softmax(row, -1) for row, own in zip(logits, sample, strict=True) if own == index]
        mean = sum(members) / len(members)
        losses.append(((mean - fractions) ** 2).sum())
    torch.testing.assert_close(proportion_loss(logits, known[sample]), sum(losses) / 2)


@pytest.mark.slow
def test_fractions_lead_to_the_best_classifier(rng):
    """Nobody's label is known, only that 80 and 30 % of two samples are signal."""
    points, classes = gaussians(rng, 12_000)
    fractions = (0.8, 0.3)
    samples = draw_mixtures(classes[:8_000] == 1, fractions, rng)
    rows = np.concatenate(samples)
    known = np.repeat(fractions, [len(s) for s in samples])
    order = rng.permutation(len(rows))
    learn, held_out = (
        LabelledJets(rows[part], np.stack([1 - known[part], known[part]], axis=1))
        for part in np.split(order, [7 * len(rows) // 8])
    )
    trainer = linear_trainer(points, 400)
    student = Training(trainer, learn, held_out, (1,)).with_loss(from_proportions)
    score = trainer.probabilities(student, np.arange(8_000, 12_000))[:, 1]
    signal = classes[8_000:] == 1
    assert auc(score[signal], score[~signal]) == pytest.approx(norm.cdf(np.sqrt(2)), abs=0.015)
