import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from jetssl.evaluation.results import Origin
from jetssl.weak.records import Arm, JudgedJets, figures, gap_closed, records

ORIGIN = Origin(1, "jetssl wsl")
SIZE = 400


@pytest.fixture
def judged(rng):
    return JudgedJets("a_vs_b", "data", "transformer", rng.random(SIZE) < 0.4, np.arange(SIZE, dtype=np.uint64) // 2)


@pytest.fixture
def arm_of(rng, judged):
    """Scores whose classes lie some widths apart."""

    def arm_of(name, distance, fits=(2, 3)):
        logits = rng.normal(size=(*fits, SIZE)) + distance * (judged.is_signal - 0.5)
        return Arm(name, "method", 1 / (1 + np.exp(-logits)), 100)

    return arm_of


def test_values_are_means_over_fits_of_those_of_scikit_learn(arm_of, judged):
    arm = arm_of("one", 1.0)
    fits = arm.scores.reshape(-1, SIZE)
    expected = [
        np.mean([roc_auc_score(judged.is_signal, scores) for scores in fits]),
        np.mean([balanced_accuracy_score(judged.is_signal, scores > 0.5) for scores in fits]),
    ]
    np.testing.assert_allclose(figures(arm, judged, 1).values, expected)


def test_an_arm_is_not_different_from_itself(arm_of, judged):
    found = figures(arm_of("one", 1.0), judged, 1)
    by_metric = {r.metric: r for r in records(found, judged, ORIGIN, found)}
    assert by_metric["auc_difference"].value == by_metric["auc_difference"].error == 0
    assert by_metric["auc"].error > 0
    assert (by_metric["auc"].n_seeds, by_metric["auc"].n_draws, by_metric["auc"].n_hard_scatters) == (2, 3, SIZE // 2)


@pytest.mark.parametrize(("distance", "share"), [(1.0, 0.0), (3.0, 1.0)])
def test_the_ends_of_the_gap(arm_of, judged, distance, share):
    low, high, found = (figures(arm_of(str(d), d), judged, 1) for d in (1.0, 3.0, distance))
    record = gap_closed(found, low, high, judged, ORIGIN)
    assert abs(record.value - share) < 5 * record.error
    assert record.error < 0.5
    assert record.low < record.value < record.high


def test_no_gap_has_no_share(arm_of, judged):
    low = figures(arm_of("low", 1.0), judged, 1)
    record = gap_closed(figures(arm_of("one", 2.0), judged, 1), low, low, judged, ORIGIN)
    assert record.value is None
    assert record.error is None
