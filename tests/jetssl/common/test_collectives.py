"""Two gloo processes with half a batch each have the gradients of one process with the joint batch."""

import os

import pytest
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from jetssl.common.collectives import gather
from jetssl.losses.ntxent import ntxent
from jetssl.losses.supcon import supcon
from jetssl.losses.vicreg import vicreg_terms
from tests.helpers.forked import run_team
from tests.helpers.teams import gloo

pytestmark = pytest.mark.slow

LOSSES = {
    "ntxent": lambda first, second, labels: ntxent(first, second, 0.1),
    "vicreg": lambda first, second, labels: sum(vicreg_terms(first, second)),
    "supcon": lambda first, second, labels: supcon(torch.cat([first, second]), labels.repeat(2), 0.1),
}
ROWS = 6


def network():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3)).double()


def rows():
    generator = torch.Generator().manual_seed(2)
    views = torch.randn(2, ROWS, 4, generator=generator, dtype=torch.float64)
    return views, torch.arange(ROWS) % 3


def parameters_after(model, name, share):
    """Ten steps of SGD on this process's share of the rows."""
    views, labels = rows()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    losses = []
    for _ in range(10):
        optimizer.zero_grad()
        first, second = model(views[:, share].flatten(0, 1)).chunk(2)
        loss = LOSSES[name](gather(first), gather(second), gather(labels[share]))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, [parameter.detach().clone() for parameter in model.parameters()]


def work(rank, folder):
    share = slice(rank * ROWS // 2, (rank + 1) * ROWS // 2)
    with gloo(init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2):
        results = {name: parameters_after(DistributedDataParallel(network()), name, share) for name in LOSSES}
        if rank == 0:
            torch.save(results, os.path.join(folder, "results.pt"))  # noqa: PTH118


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gloo")
    run_team(work, str(folder))
    return torch.load(folder / "results.pt")


@pytest.mark.parametrize("name", list(LOSSES))
def test_two_processes_equal_one(results, name):
    losses, parameters = parameters_after(network(), name, slice(None))
    assert results[name][0] == pytest.approx(losses, abs=1e-9)
    for found, wanted in zip(results[name][1], parameters, strict=True):
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-9)


def test_one_process_gathers_nothing():
    values = torch.ones(2, 3)
    assert gather(values) is values
