"""NT-Xent and VICReg are those of lightly 1.6.0, by numbers that it gave (`record_lightly.py`)."""

import json

import pytest
import torch

from jetssl.losses.ntxent import ntxent
from jetssl.losses.vicreg import vicreg_terms
from tests.helpers.record_lightly import RECORD, SCALES, TEMPERATURES, value_and_gradient

LIGHTLY = json.loads(RECORD.read_text())


def assert_same(ours, theirs):
    for name in ("value", "gradient"):
        mine, other = (torch.tensor(side[name], dtype=torch.float64) for side in (ours, theirs))
        assert other.abs().max() > 1e-3, "nothing to compare with"
        torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_ntxent(temperature):
    ours = value_and_gradient(lambda first, second: ntxent(first, second, temperature))
    assert_same(ours, LIGHTLY["ntxent"][str(temperature)])


@pytest.mark.parametrize("scale", SCALES)
def test_vicreg(scale):
    """With lightly's default weights, which are the published 25, 25 and 1."""

    def loss(first, second):
        terms = vicreg_terms(first, second)
        return 25 * terms.invariance + 25 * terms.variance + terms.covariance

    assert_same(value_and_gradient(loss, scale), LIGHTLY["vicreg"][str(scale)])
