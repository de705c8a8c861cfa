import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from jetssl.data.jets import gather_jets, mask_of, pad
from resim.angles import wrap


@given(st.lists(st.integers(0, 7), min_size=1, max_size=20))
def test_round_trip(lengths):
    counts = np.array(lengths)
    starts = np.concatenate([[0], np.cumsum(counts)])[:-1]
    flat = np.arange(1, counts.sum() + 1)
    padded = pad(flat, starts, counts)
    assert padded.shape == (len(counts), counts.max())
    np.testing.assert_array_equal(padded[mask_of(counts)], flat)
    assert (padded[~mask_of(counts)] == 0).all()


def test_gathers_the_right_jets(table):
    row = np.flatnonzero(table.valid.all(0))[[4, 0, 9]]
    view = np.array([2, 0, 1])
    jets = gather_jets(table, view, row)
    assert jets.mask.sum(1).tolist() == table.counts[view, row].tolist()
    for i in range(3):
        where = slice(table.starts[view[i], row[i]], table.starts[view[i], row[i]] + table.counts[view[i], row[i]])
        np.testing.assert_array_equal(jets.pt[i][jets.mask[i]], table.constituents.pt[where])
    assert (np.abs(jets.d_phi) < 1).all()


def test_real_zeros_stay_real(table):
    """A neutral 0 in a column is no padding: only the counts decide."""
    row = np.flatnonzero(table.valid[0])[:5]
    jets = gather_jets(table, np.zeros(5, int), row)
    assert (jets.charge[jets.mask] == 0).any()
    assert jets.mask.sum() == table.counts[0, row].sum()


def test_wrap():
    np.testing.assert_allclose(wrap(np.array([4.0, -4.0, 0.5])), [4 - 2 * np.pi, 2 * np.pi - 4, 0.5], rtol=1e-6)
