import numpy as np
import pytest

from jetssl.weak.from_mixtures import _mixed, _numbers, _proportions
from tests.helpers.gaussians import BEST_AUC, auc_of, gaussian_task

SAMPLES = [np.array([3, 5]), np.array([1, 2])]


@pytest.mark.parametrize(("fractions", "richer"), [((0.2, 0.7), [0, 0, 1, 1]), ((0.7, 0.2), [1, 1, 0, 0])])
def test_the_sample_with_more_signal_is_called_signal(fractions, richer):
    labelled = _numbers(SAMPLES, fractions)
    assert labelled.rows.tolist() == [3, 5, 1, 2]
    assert labelled.targets[:, 1].tolist() == richer


def test_every_jet_has_the_fraction_of_its_sample():
    labelled = _proportions(SAMPLES, (0.2, 0.7))
    np.testing.assert_allclose(labelled.targets, [[0.8, 0.2], [0.8, 0.2], [0.3, 0.7], [0.3, 0.7]])


def test_mixtures_come_close_to_labels(rng):
    frozen, _ = gaussian_task(rng)
    found = _mixed((0.9, 0.1), 0, frozen, (1, 0, 0))
    for name, scores in found.items():
        assert auc_of(frozen, scores) == pytest.approx(BEST_AUC, abs=0.04), name
