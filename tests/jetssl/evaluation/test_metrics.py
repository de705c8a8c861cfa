import math

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torchmetrics.functional.classification import binary_calibration_error

from jetssl.evaluation.metrics import (
    OneAgainstOne,
    background_efficiency,
    rejection,
    reliability,
    signal_efficiency,
    wilson,
)


def test_background_efficiency_by_hand():
    signal, background = np.arange(10.0), np.array([-1.0, 2, 4.5, 7, 20])
    # 30 % of the signal is 7, 8, 9: the cut is at 7, which two of five background jets reach.
    assert background_efficiency(signal, background, 0.3) == pytest.approx(0.4)
    assert background_efficiency(signal, background, np.array([0.5, 1.0])).tolist() == pytest.approx([0.4, 0.8])


def test_wilson_values():
    # Textbook values for 5 of 10 and 0 of 10 at 95 %.
    half, none = wilson(5, 10, 0.95), wilson(0, 10, 0.95)
    assert (half.low, half.high) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert (none.low, none.high) == pytest.approx((0.0, 0.2775), abs=1e-4)


def test_rejection():
    found = rejection(0.1, 100)
    assert found.value == pytest.approx(10)
    assert found.interval.low < 10 < found.interval.high
    nothing = rejection(0.0, 100)
    assert nothing.value is None
    # The exact limit: 0.95 of all samples of 100 would have held a jet that passes.
    assert (1 - 1 / nothing.interval.low) ** 100 == pytest.approx(0.05)
    assert nothing.interval.high == math.inf


def test_signal_efficiency_by_hand():
    signal, background = np.arange(10.0), np.array([-1.0, 2, 4.5, 7, 20])
    # One of five background jets may pass: 20; the next, 7, must not, so 8 and 9 pass.
    assert signal_efficiency(signal, background, np.array([0.2, 0.0])).tolist() == pytest.approx([0.2, 0.0])


def test_several_classes_as_in_sklearn(rng):
    classes = rng.integers(0, 3, 200)
    probabilities = rng.dirichlet(np.ones(3), 200) + 0.3 * np.eye(3)[classes]
    probabilities /= probabilities.sum(1, keepdims=True)
    expected = roc_auc_score(classes, probabilities, multi_class="ovo", average="macro")
    macro = OneAgainstOne(probabilities, classes)
    assert macro(np.ones(200)) == pytest.approx(expected)
    weights = rng.integers(1, 4, 200)
    repeated = roc_auc_score(np.repeat(classes, weights), np.repeat(probabilities, weights, 0), multi_class="ovo")
    assert macro(weights) == pytest.approx(repeated)


def test_calibration_as_in_torchmetrics(rng):
    probability = rng.random(500)
    is_signal = rng.random(500) < probability**2
    expected = binary_calibration_error(torch.from_numpy(probability), torch.from_numpy(is_signal).long(), 15)
    assert reliability(probability, is_signal).expected_error == pytest.approx(float(expected), rel=1e-5)
    twice = reliability(probability, is_signal, np.full(500, 2.0))
    assert twice.expected_error == pytest.approx(float(expected), rel=1e-5)
