import h5py
import numpy as np
import pytest

from jetssl.config.data import Fractions
from jetssl.data.rows import rows_of
from jetssl.data.splits import split_rows
from resim.pairfile.mock import write_mock
from resim.pairfile.places import identity_of_place
from tests.helpers.chain import version_2


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


def test_equal_events_of_two_lhe_files_share_a_side(tmp_path, caplog):
    """An LHE file and an extract of it: other hashes, other indices."""
    parent, extract = (write_mock(tmp_path / f"{seed}.h5", 100, seed=seed) for seed in (1, 2))
    with h5py.File(parent) as one, h5py.File(extract, "r+") as other:
        other["hard_scatter/identity"][:40] = one["hard_scatter/identity"][60:]
    rows = rows_of([parent, extract])
    assert "40 hard scatters equal others; equal ones are on one side of the split" in caplog.text
    splits = split_rows(rows, Fractions())
    sides = [set(rows.identity[side].tolist()) for side in splits.sides]
    assert not sides[0] & sides[1]
    assert not (sides[0] | sides[1]) & sides[2]
    assert len(rows.identity) - sum(map(len, sides)) == 40


def test_files_of_version_2_are_split_as_they_were(tmp_path):
    rows = rows_of([version_2(tmp_path)])
    places = identity_of_place(rows.sources, rows.source, rows.event)
    expected = np.digitize(places / 2.0**64, [0.6, 0.8])
    found = side_of(rows)
    assert [found[rows.sources[i], j] for i, j in zip(rows.source, rows.event, strict=True)] == expected.tolist()


def test_fractions():
    n = 20_000
    position = identity_of_place(["ab" * 32, "cd" * 32], np.arange(n) % 2, np.arange(n) // 2) / 2.0**64
    for edge in (0.2, 0.6, 0.8):
        assert (position < edge).mean() == pytest.approx(edge, abs=0.015)
