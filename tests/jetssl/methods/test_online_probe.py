"""The probe during training against scikit-learn."""

import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from jetssl.methods.online_probe import RIDGE, online_probe
from tests.helpers.toys import normal


@pytest.mark.parametrize("classes", [2, 3])
def test_probe_equals_scikit_learn(classes):
    labels = torch.randint(0, classes, (200,), generator=torch.Generator().manual_seed(2))
    vectors = normal(200, 6) + 0.5 * torch.nn.functional.one_hot(labels, 6)
    scaler = StandardScaler().fit(vectors[::2])
    # torch divides by N - 1.
    scaler.scale_ = scaler.scale_ * np.sqrt(100 / 99)
    known, other = scaler.transform(vectors[::2]), scaler.transform(vectors[1::2])
    wanted = torch.nn.functional.one_hot(labels, classes).numpy()
    scores = Ridge(alpha=RIDGE * 100).fit(known, wanted[::2]).predict(other)
    areas = [roc_auc_score(wanted[1::2, k], scores[:, k]) for k in range(classes)]
    assert online_probe(vectors, labels) == pytest.approx(np.mean(areas), abs=1e-6)


def test_probe_knows_what_it_cannot_say():
    assert math.isnan(online_probe(normal(20, 3), torch.zeros(20, dtype=torch.int64)))
    assert math.isnan(online_probe(normal(20, 3), torch.arange(20) % 2))  # one class to learn from, one to judge
    assert online_probe(torch.ones(40, 3), torch.arange(40) // 2 % 2) == 0.5
