import numpy as np
import pytest
from scipy.stats import norm

from jetssl.common.roc import auc
from jetssl.weak.methods import Training
from jetssl.weak.mixed_samples import draw_mixtures
from jetssl.weak.student import LabelledJets
from resim.common.errors import InputError
from tests.helpers.gaussians import gaussians, linear_trainer


@pytest.mark.parametrize("fractions", [(0.8, 0.2), (1.0, 0.0), (0.6, 0.5, 0.1)])
def test_samples_have_the_fractions_and_share_no_jet(rng, fractions):
    is_signal = rng.random(1000) < 0.4
    samples = draw_mixtures(is_signal, fractions, rng)
    everyone = np.concatenate(samples)
    assert len(set(everyone.tolist())) == len(everyone)
    for sample, fraction in zip(samples, fractions, strict=True):
        assert is_signal[sample].mean() == pytest.approx(fraction, abs=1.5 / len(sample))
    assert max(map(len, samples)) - min(map(len, samples)) <= 2


def test_mixtures_lead_to_the_best_classifier(rng):
    """Theorem 1: the AUC of signal against background is that of the truth, Phi(sqrt 2)."""
    points, classes = gaussians(rng, 24_000)
    samples = draw_mixtures(classes[:18_000] == 1, (0.7, 0.3), rng)
    rows, sample = np.concatenate(samples), np.repeat([1, 0], [len(s) for s in samples])
    order = rng.permutation(len(rows))
    learn, held_out = (LabelledJets(rows[part], np.eye(2)[sample[part]]) for part in np.split(order, [12_000]))
    trainer = linear_trainer(points)
    student = Training(trainer, learn, held_out, (1,)).noisy("plain", np.eye(2))
    score = trainer.probabilities(student, np.arange(18_000, 24_000))[:, 1]
    signal = classes[18_000:] == 1
    assert auc(score[signal], score[~signal]) == pytest.approx(norm.cdf(np.sqrt(2)), abs=0.012)


@pytest.mark.parametrize(
    ("fractions", "message"),
    [
        ((0.5, 0.5), "equal, so nothing tells them apart"),
        ((1.5, 0.1), "want numbers from 0 to 1"),
        ((0.9, 0.8), "jets are too few"),
    ],
)
def test_impossible_mixtures_are_one_line(rng, fractions, message):
    with pytest.raises(InputError, match=message):
        draw_mixtures(np.array([True, False, False]), fractions, rng)
