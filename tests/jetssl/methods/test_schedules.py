import math

import pytest
import torch

from jetssl.methods.schedules import LAST, SCHEDULES, flat_decay, one_cycle


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
    assert factors[-1] == pytest.approx(LAST) if name == "flat_decay" else factors[-1] < 1e-5


def test_flat_decay_is_the_published_schedule():
    """At the ends of weaver-core's 15 last epochs of 50, in each of which its rate is a constant, and in between."""
    per_epoch, total = 1000, 50_000
    weaver = [LAST ** (max(epoch - 34, 0) / 15) for epoch in range(50)]
    ours = [flat_decay((epoch + 1) * per_epoch, total, 0.0) for epoch in range(50)]
    assert ours == pytest.approx(weaver, rel=1e-12)
    logarithms = [math.log(flat_decay(step, total, 0.0)) for step in (35_000, 40_000, 45_000)]
    assert logarithms[0] - logarithms[1] == pytest.approx(logarithms[1] - logarithms[2])
