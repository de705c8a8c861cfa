import pytest
import torch

from jetssl.methods.schedules import SCHEDULES, one_cycle


@pytest.mark.parametrize(("total", "warmup"), [(100, 0.3), (37, 0.25), (10, 0.5)])
def test_one_cycle_is_that_of_torch(total, warmup):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1.0, total, pct_start=warmup, cycle_momentum=False)
    for step in range(total):
        assert one_cycle(step, total, warmup) == pytest.approx(schedule.get_last_lr()[0], abs=1e-12)
        optimizer.step()
        if step + 1 < total:
            schedule.step()


@pytest.mark.parametrize("name", list(SCHEDULES))
@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.9])
@pytest.mark.parametrize("total", [1, 2, 50])
def test_rises_to_one_and_falls(name, warmup, total):
    factors = [SCHEDULES[name](step, total, warmup) for step in range(total + 1)]
    top = factors.index(max(factors))
    assert all(0 <= factor <= 1 for factor in factors)
    assert factors[: top + 1] == sorted(factors[: top + 1])
    assert factors[top:] == sorted(factors[top:], reverse=True)
    assert factors[-1] < 1e-5
