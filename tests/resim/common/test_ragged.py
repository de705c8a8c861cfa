from itertools import groupby

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from resim.common.ragged import indices_of_ranges, owners_of, runs_of


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 7)), min_size=1, max_size=20))
def test_ranges_one_after_the_other(ranges):
    starts, lengths = np.array(ranges).T
    wanted = [start + i for start, length in ranges for i in range(length)]
    assert indices_of_ranges(starts, lengths).tolist() == wanted


@given(st.lists(st.integers(0, 7), min_size=1, max_size=20))
def test_every_entry_knows_its_range(lengths):
    wanted = [i for i, length in enumerate(lengths) for _ in range(length)]
    assert owners_of(np.cumsum([0, *lengths])).tolist() == wanted


@given(st.lists(st.integers(0, 2), max_size=20))
def test_runs_are_those_of_groupby(values):
    runs = runs_of(np.array(values, int))
    assert [values[run] for run in runs] == [list(group) for _, group in groupby(values)]
    assert [i for run in runs for i in range(run.start, run.stop)] == list(range(len(values)))
