import numpy as np
import pytest

from jetssl.training.epoch_metrics import last_slope


def test_a_straight_line_is_found_with_its_error(rng):
    """A slope of -0.1 with a scatter of 0.01: the error is that of least squares, and covers it."""
    pulls = []
    for _ in range(300):
        losses = [4.0] * 20 + [3 - 0.1 * epoch + rng.normal(0, 0.01) for epoch in range(20)]
        slope = last_slope(losses)
        assert slope.epochs == 10
        assert slope.share == pytest.approx(-slope.value * 10 / (losses[0] - min(losses)))
        pulls.append((slope.value + 0.1) / slope.error)
    assert np.mean(np.abs(pulls) < 1.0665) == pytest.approx(0.683, abs=0.08)  # Student's t of 8 degrees of freedom


@pytest.mark.parametrize(
    ("losses", "falls"),
    [
        ([5 - 0.1 * epoch for epoch in range(40)], True),
        ([3 + 2.0**-epoch for epoch in range(40)], False),
        ([3 + 2.0**-epoch for epoch in range(20)] + [3 + 0.1 * epoch for epoch in range(20)], False),
        ([5.0, 4.0, 3.0, 3.2, 2.9, 3.1, 3.0, 2.8], False),
    ],
    ids=["line", "flat", "rises", "scatter"],
)
def test_what_counts_as_falling(losses, falls):
    assert last_slope(losses).falls is falls


@pytest.mark.parametrize("losses", [[4, 3, 2, 1], [1.0] * 20, [1.0 + epoch for epoch in range(20)]])
def test_nothing_to_compare_with(losses):
    assert last_slope(losses) is None
