"""The optimizer of all methods."""

import copy

import pytest
import torch
from torch import nn

from jetssl.common.threads import torch_threads
from jetssl.methods.optimizers import AdamW


@pytest.fixture
def networks():
    torch.manual_seed(1)
    first = nn.Linear(300, 200)
    return first, copy.deepcopy(first)


def closure_of(network):
    def closure():
        network.zero_grad()
        loss = network(torch.ones(1, 300)).square().sum()
        loss.backward()
        return loss

    return closure


@pytest.mark.parametrize("threads", [1, 2])
def test_steps_are_those_of_torch(networks, threads):
    """Weights to the bit, with the threads of the caller before and after."""
    ours, theirs = networks
    optimizers = AdamW(ours.parameters(), 1e-3, fused=True), torch.optim.AdamW(theirs.parameters(), 1e-3, fused=True)
    with torch_threads(threads):
        for _ in range(3):
            losses = [o.step(closure_of(n)) for o, n in zip(optimizers, networks, strict=True)]
            assert torch.equal(*losses)
        assert torch.get_num_threads() == threads
    assert torch.equal(ours.weight, theirs.weight)
