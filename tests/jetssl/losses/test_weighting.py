"""Batches whose events all have the weight 0: a loss of 0, or of a constant, and no step."""

import pytest
import torch

from jetssl.losses.ntxent import ntxent
from jetssl.losses.supcon import supcon
from jetssl.losses.vicreg import vicreg_terms
from jetssl.losses.weighting import divisor

LABELS = torch.tensor([0, 1, 0, 1])
LOSSES = {
    "ntxent": lambda first, second, weights: ntxent(first, second, 0.5, weights),
    "supcon": lambda first, second, weights: supcon(
        torch.cat([first, second]), LABELS.repeat(2), 0.5, weights.repeat(2)
    ),
    "vicreg": lambda first, second, weights: sum(vicreg_terms(first, second, weights)),
}


@pytest.mark.parametrize("name", LOSSES)
def test_without_weight_a_batch_moves_nothing(name):
    torch.manual_seed(1)
    first, second = (torch.randn(4, 3, requires_grad=True) for _ in range(2))
    loss = LOSSES[name](first, second, torch.zeros(4))
    loss.backward()
    assert torch.isfinite(loss)
    assert name == "vicreg" or loss.item() == 0
    assert not first.grad.any()
    assert not second.grad.any()


def test_any_weight_divides_as_it_is():
    for total in (1e-30, 0.3, 7.0):
        assert divisor(torch.tensor(total)) == torch.tensor(total)
    assert divisor(torch.tensor(0.0)) > 0
