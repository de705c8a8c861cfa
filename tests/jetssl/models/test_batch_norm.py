"""Batch norm over processes."""

import pytest
import torch
from torch.nn.parallel import DistributedDataParallel

from jetssl.models.batch_norm import BatchNorm
from tests.helpers.forked import run_team
from tests.helpers.programs import free_port
from tests.helpers.teams import gloo, join


def normalize(norm, rows):
    """Two steps, and what the gradient of something not symmetric is."""
    results = []
    for scale in (1.0, 2.0):
        values = (scale * rows).requires_grad_()
        normed = norm(values)
        normed.sin().sum().backward()
        results += [normed.detach(), values.grad]
    return results


def normalize_share(rank, port, folder):
    join(rank, port)
    with gloo():
        results = {}
        for split in (5, 7):  # with 7, the second process has no row
            rows = torch.load(f"{folder}/rows.pt")
            rows = rows[:split] if rank == 0 else rows[split:]
            norm = BatchNorm(3).double()
            ours = normalize(DistributedDataParallel(norm), rows)
            statistics = [norm.running_mean, norm.running_var, norm.num_batches_tracked]
            results[split] = ours, [norm.weight.grad, norm.bias.grad, *statistics]
        torch.save(results, f"{folder}/{rank}.pt")


@pytest.mark.slow
def test_batch_norm_of_unequal_shares_is_that_of_all_rows(tmp_path):
    rows = torch.randn(7, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) + 5
    torch.save(rows, tmp_path / "rows.pt")
    run_team(normalize_share, free_port(), str(tmp_path))
    results = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]
    norm = torch.nn.BatchNorm1d(3).double()
    wanted = normalize(norm, rows)
    for split in (5, 7):
        shares = [result[split] for result in results]
        for index, value in enumerate(wanted):
            torch.testing.assert_close(torch.cat([share[0][index] for share in shares]), value, rtol=0, atol=1e-10)
        for _, (weight, bias, *statistics) in shares:
            # DistributedDataParallel averages what the processes contribute.
            torch.testing.assert_close(2 * weight, norm.weight.grad)
            torch.testing.assert_close(2 * bias, norm.bias.grad)
            for found, value in zip(statistics, [norm.running_mean, norm.running_var], strict=False):
                torch.testing.assert_close(found, value)
            assert statistics[-1] == 2
