"""Jets of rows in flat arrays."""

import numpy as np
import pytest

from jetssl.data.jet_table import JetTable, concatenate, read_jets
from resim.pairfile.reader import PairFile
from tests.helpers.toys import one_jet


@pytest.fixture(scope="module")
def whole(mock_file):
    with PairFile(mock_file) as file:
        return read_jets(file, file.view_names, 0, len(file), ["charge"])


def same(table: JetTable, row: int, other: JetTable, other_row: int) -> bool:
    return all(
        np.array_equal(a, b)
        for view in range(table.counts.shape[0])
        for a, b in zip(one_jet(table, view, row), one_jet(other, view, other_row), strict=True)
    ) and np.array_equal(table.jets.pt[:, row], other.jets.pt[:, other_row], equal_nan=True)


def test_some_rows_of_a_file(mock_file, whole):
    with PairFile(mock_file) as file:
        some = read_jets(file, file.view_names, 50, 80, ["charge"])
    assert some.counts.shape == (3, 30)
    assert all(same(some, row, whole, 50 + row) for row in range(30))
    assert len(some.constituents.pt) == some.counts.sum()


def test_rows_are_taken_in_any_order_and_the_others_are_left_behind(whole):
    rows = np.array([7, 3, 7])
    taken = whole.take(rows)
    assert all(same(taken, i, whole, row) for i, row in enumerate(rows))
    assert len(taken.constituents.pt) == len(taken.constituents.other["charge"]) == taken.counts.sum()


def test_tables_one_after_the_other(whole):
    both = concatenate([whole.take(np.arange(5)), whole.take(np.arange(5, 9))])
    assert all(same(both, row, whole, row) for row in range(9))
    assert concatenate([whole]) is whole
