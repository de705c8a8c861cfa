import numpy as np
import pytest

from jetssl.config.data import Fractions
from jetssl.data.rows import rows_of
from jetssl.data.splits import hard_scatter_keys, split_rows
from resim.pairfile.mock import write_mock


def side_of(table):
    splits = split_rows(table, Fractions())
    rows = [splits.train, splits.validation, splits.test]
    assert np.sort(np.concatenate(rows)).tolist() == list(range(table.n_rows))
    return {
        (table.sources[table.source[row]], int(table.event[row])): side
        for side, indices in enumerate(rows)
        for row in indices
    }


def test_independent_of_order_and_number_of_rows(tmp_path):
    first, second = (write_mock(tmp_path / f"{seed}.h5", 80, seed=seed) for seed in (1, 2))
    longer = write_mock(tmp_path / "longer.h5", 120, seed=1)
    forward, backward = side_of(rows_of([first, second])), side_of(rows_of([second, first]))
    assert forward == backward
    assert side_of(rows_of([longer])).items() >= side_of(rows_of([first])).items()


def test_rows_of_an_event_share_a_side():
    event = np.repeat(np.arange(500), 3)
    keys = hard_scatter_keys(["ab" * 32], np.zeros(1500, int), event)
    assert (keys.reshape(500, 3) == keys.reshape(500, 3)[:, :1]).all()
    assert len(np.unique(keys)) == 500


def test_fractions():
    n = 20_000
    keys = hard_scatter_keys(["ab" * 32, "cd" * 32], np.arange(n) % 2, np.arange(n) // 2)
    position = keys / 2.0**64
    for edge in (0.2, 0.6, 0.8):
        assert (position < edge).mean() == pytest.approx(edge, abs=0.015)
