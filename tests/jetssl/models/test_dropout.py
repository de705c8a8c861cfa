"""Dropout: frequency, scale, gradient."""

import pytest
import torch

from jetssl.models.dropout import Dropout


def test_dropout_frequency_scale_and_independence():
    torch.manual_seed(5)
    values = torch.ones(400_003)
    dropped = Dropout(0.1)(values).view(-1)
    zero = dropped == 0
    assert zero.float().mean().item() == pytest.approx(0.1, abs=0.002)
    assert torch.unique(dropped[~zero]).tolist() == pytest.approx([1 / 0.9], rel=1e-4)
    for lane in range(4):
        assert zero[lane::4].float().mean().item() == pytest.approx(0.1, abs=0.004)
    for shift in (1, 2, 3, 4):  # four elements share a random word
        assert (zero[shift:] & zero[:-shift]).float().mean().item() == pytest.approx(0.01, abs=0.001)


def test_dropout_gradient_is_its_factor():
    values = torch.randn(7, 3, requires_grad=True)
    torch.manual_seed(1)
    Dropout(0.5)(values).sum().backward()
    assert set(values.grad.flatten().tolist()) == {0.0, 2.0}


def test_dropout_rests():
    values = torch.ones(10)
    assert torch.equal(Dropout(0.5).eval()(values), values)
    assert torch.equal(Dropout(0.0)(values), values)
