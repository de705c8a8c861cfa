import numpy as np
import pytest
import torch
from scipy.special import expit, softmax
from sklearn.metrics import accuracy_score, recall_score, roc_auc_score
from torchmetrics.functional.classification import binary_calibration_error, multiclass_calibration_error

from jetssl.evaluation.metrics import signal_efficiency
from jetssl.evaluation.scoring import ANOMALIES, figures_of, statistic

WEIGHTS = np.tile([1.0, 2.0, 3.0], 200)


def named(figures, values):
    return dict(zip([tuple(figure) for figure in figures], values, strict=True))


def test_two_classes(rng):
    classes = rng.integers(0, 2, 600)
    outputs = rng.normal(size=600) + 2 * (classes == 0)
    names = figures_of(("hbb", "qcd"), int((classes == 1).sum()))
    found = named(names, statistic(outputs, classes, WEIGHTS)(np.ones(600, int)))
    assert found["auc", None] == pytest.approx(roc_auc_score(classes == 0, outputs, sample_weight=WEIGHTS))
    expected = accuracy_score(classes == 0, outputs > 0, sample_weight=WEIGHTS)
    assert found["accuracy", None] == pytest.approx(expected)
    repeated = np.repeat(np.arange(600), WEIGHTS.astype(int))
    error = binary_calibration_error(
        torch.from_numpy(expit(outputs[repeated])), torch.from_numpy(classes[repeated] == 0).long(), 15
    )
    assert found["expected_calibration_error", None] == pytest.approx(float(error), rel=1e-5)
    of_signal, of_background = (outputs[repeated][classes[repeated] == index] for index in (0, 1))
    efficiency = signal_efficiency(of_signal, of_background, 0.01)
    assert found["signal_efficiency_at_0.01", None] == pytest.approx(float(efficiency))
    # A replica counts jets; counts and weights multiply.
    twice = statistic(outputs, classes, np.ones(600))(WEIGHTS.astype(int))
    assert list(found.values()) == pytest.approx(twice.tolist())


def test_too_few_jets_for_an_efficiency(rng):
    """With 99 background jets no cut lets 1 % of them pass."""
    classes = np.repeat([0, 1], [30, 99])
    names = [figure.metric for figure in figures_of(("hbb", "qcd"), 99)]
    assert "signal_efficiency_at_0.01" not in names
    assert len(statistic(rng.normal(size=129), classes, np.ones(129))(np.ones(129, int))) == len(names)


def test_several_classes(rng):
    classes = rng.integers(0, 3, 600)
    outputs = rng.normal(size=(600, 3)) + 1.5 * np.eye(3)[classes]
    probability, said = softmax(outputs, axis=1), outputs.argmax(1)
    names = ("a", "b", "c")
    counted = statistic(outputs, classes, np.ones(600))
    found = named(figures_of(names, 400), counted(np.ones(600, int)))
    assert found["auc", None] == pytest.approx(roc_auc_score(classes, probability, multi_class="ovo"))
    assert found["accuracy", None] == pytest.approx((said == classes).mean())
    error = multiclass_calibration_error(torch.from_numpy(probability), torch.from_numpy(classes), 3, 15)
    assert found["expected_calibration_error", None] == pytest.approx(float(error), rel=1e-5)
    recalls = recall_score(classes, said, average=None)
    for index, name in enumerate(names):
        alone = roc_auc_score(classes == index, probability[:, index])
        assert found["auc", name] == pytest.approx(alone)
        assert found["accuracy", name] == pytest.approx(recalls[index])
    lost = counted((classes != 2).astype(int))
    assert np.isnan(lost[[0, 5, 8]]).all()


@pytest.mark.parametrize("n_background", [10, 60, 400])
def test_scores_of_anomalies_are_no_probabilities(rng, n_background):
    classes = np.repeat([0, 1], [50, n_background])
    outputs = rng.normal(size=len(classes)) + 2 * (classes == 0)
    names = ANOMALIES.figures_of(("dark", "qcd"), n_background)
    once = np.ones(len(classes))
    found = named(names, ANOMALIES.statistic(outputs, classes, once)(once.astype(int)))
    assert found["auc", None] == pytest.approx(roc_auc_score(classes == 0, outputs))
    assert ("accuracy", None) not in found
    assert (("signal_efficiency_at_0.01", None) in found) == (n_background >= 100)
    assert (("significance_improvement", None) in found) == (n_background >= 25)
    if n_background == 400:
        cut = np.sort(outputs[classes == 1])[-25]
        kept = [(outputs[classes == kind] >= cut).mean() for kind in (0, 1)]
        assert found["significance_improvement", None] >= kept[0] / np.sqrt(kept[1]) > 1.5
