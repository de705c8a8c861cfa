import pytest

from jetssl.config.weak import NoiseCard
from jetssl.weak.from_noise import _clean, _kinds, _noisy
from jetssl.weak.label_noise import symmetric
from tests.helpers.gaussians import BEST_AUC, auc_of, gaussian_task


def test_every_rate_is_a_noise_with_a_name():
    card = NoiseCard(pretraining="any", methods=("plain",), symmetric=(0.1,), class_dependent=((0.1, 0.3),))
    kinds = _kinds(card)
    assert list(kinds) == ["symmetric 0.1", "background 0.1, signal 0.3"]
    assert kinds["background 0.1, signal 0.3"].tolist() == [[0.9, 0.1], [0.3, 0.7]]


def test_methods_learn_from_the_same_wrong_labels_and_keep_the_order(rng):
    """A linear student is hardly misled by symmetric noise: its order of jets stays the best one."""
    frozen, _ = gaussian_task(rng)
    clean = _clean(frozen, (1, 0, 0))["clean"]
    found = _noisy(("plain", "forward", "co_teaching"), symmetric(0.3), 0, frozen, (1, 0, 0))
    for scores in (clean, *found.values()):
        assert auc_of(frozen, scores) == pytest.approx(BEST_AUC, abs=0.04)
    again = _noisy(("plain",), symmetric(0.3), 0, frozen, (1, 0, 0))["plain"]
    other = _noisy(("plain",), symmetric(0.3), 1, frozen, (1, 0, 0))["plain"]
    assert (again == found["plain"]).all()
    assert (other != found["plain"]).any()
