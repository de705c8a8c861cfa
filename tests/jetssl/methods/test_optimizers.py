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


def closure_of(network, threads):
    def closure():
        threads.append(torch.get_num_threads())
        network.zero_grad()
        loss = network(torch.ones(1, 300)).square().sum()
        loss.backward()
        return loss

    return closure


def test_steps_are_those_of_torch(networks):
    ours, theirs = networks
    optimizers = AdamW(ours.parameters(), 1e-3, fused=True), torch.optim.AdamW(theirs.parameters(), 1e-3, fused=True)
    for _ in range(3):
        losses = [o.step(closure_of(n, [])) for o, n in zip(optimizers, networks, strict=True)]
        assert torch.equal(*losses)
    assert torch.equal(ours.weight, theirs.weight)


def test_only_the_update_is_on_one_thread(networks, monkeypatch):
    threads = []
    monkeypatch.setattr(torch.optim.AdamW, "step", lambda self: threads.append(torch.get_num_threads()))
    with torch_threads(2):
        AdamW(networks[0].parameters()).step(closure_of(networks[0], threads))
        assert torch.get_num_threads() == 2
    assert threads == [2, 1]
