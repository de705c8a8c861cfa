import numpy as np
import pytest

from jetssl.config.weak import TeachingCard
from jetssl.weak.from_teacher import _oracle, _taught
from tests.helpers.gaussians import BEST_AUC, auc_of, gaussian_task

METHODS = ("hard", "soft", "confident", "gce", "forward", "co_teaching", "self_training")


@pytest.mark.slow
def test_all_students_of_a_good_teacher_are_good(rng):
    frozen, truth = gaussian_task(rng)
    found = _taught(TeachingCard(pretraining="any", methods=METHODS, rounds=2), frozen, (1, 0, 0))
    found |= _oracle(truth, frozen, (1, 0, 0))
    assert set(found) == {"teacher", *METHODS, "oracle"}
    for name, scores in found.items():
        assert auc_of(frozen, scores) == pytest.approx(BEST_AUC, abs=0.035), name


@pytest.mark.slow
def test_no_label_of_data_is_looked_at(rng):
    """Other labels of all jets of data, the same scores."""
    frozen, _ = gaussian_task(rng, 1000, shift=0.5)
    card = TeachingCard(pretraining="any", methods=("hard", "forward"))
    before = _taught(card, frozen, (1, 0, 0))
    frozen.task.is_signal[frozen.shift :] ^= True
    after = _taught(card, frozen, (1, 0, 0))
    for name, scores in before.items():
        np.testing.assert_array_equal(scores, after[name])


def test_a_given_matrix_is_used(rng):
    frozen, _ = gaussian_task(rng, 1000)
    given = TeachingCard(pretraining="any", methods=("forward",), transition=((0.6, 0.4), (0.0, 1.0)))
    own = given.model_copy(update={"transition": None})
    one, other = (_taught(card, frozen, (1, 0, 0))["forward"] for card in (given, own))
    assert (one > 0.5).sum() < (other > 0.5).sum()
