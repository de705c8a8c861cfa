import numpy as np
import pytest

from jetssl.training.epoch_metrics import last_slope, read_metrics
from resim.common.errors import InputError


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


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"epoch,loss\nx,1\n", "unreadable .could not convert string to float: 'x'"),
        (b"epoch,loss\n1\n", "unreadable .float.. argument must be"),
        (b"epoch,loss\n1,2,3\n", "unreadable .column None is unknown, or a line is too long"),
        (b"epoch,lots\n1,2\n", "unreadable .column 'lots' is unknown"),
        (b"epoch,loss\n1,\xa7\n", "unreadable .'utf-8' codec"),
        (b"epoch,loss\n", "holds no epoch"),
        (b"", "holds no epoch"),
    ],
)
def test_a_damaged_table_is_one_line(tmp_path, content, message):
    (tmp_path / "metrics.csv").write_bytes(content)
    with pytest.raises(InputError, match=rf"metrics\.csv: {message}.*; put the right file there, or train again"):
        read_metrics(tmp_path / "metrics.csv")
