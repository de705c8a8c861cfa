"""The order of rows: nothing twice, nothing lost but remainders, and as random as a plain permutation where it counts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jetssl.config.data import BinsCard, DataCard
from jetssl.data.balance import quantile_bins
from jetssl.data.sampling import cut_pieces, interleave, training_shards, validation_window
from tests.helpers.toys import make_rows


def card(**changes):
    return DataCard(files=("none",), **changes)


def epoch_of(rows, used, data, epoch=0):
    """Batches `(n, B)` of all shards side by side."""
    shards = training_shards(rows, used, data)
    n_batches = min(shard.n_batches for shard in shards)
    windows = [shard.windows(1, epoch, n_batches) for shard in shards]
    return np.hstack([np.concatenate([window.batches for window in of_shard]) for of_shard in windows])


sizes = st.lists(st.lists(st.integers(1, 400), min_size=1, max_size=3), min_size=1, max_size=3)


@settings(max_examples=60, deadline=None)
@given(sizes=sizes, size=st.integers(1, 100))
def test_pieces_cover_every_row_once_and_mix_no_sources(sizes, size):
    rows = make_rows(*sizes)
    pieces = cut_pieces(rows, size)
    piece = pieces.of(np.arange(rows.n_rows))
    assert piece.tolist() == np.repeat(np.arange(len(pieces.stratum)), np.diff(pieces.stops, prepend=0)).tolist()
    assert np.bincount(piece).max() <= size
    for number in range(len(pieces.stratum)):
        assert len(np.unique(rows.source[piece == number])) == 1
    assert len(np.unique(pieces.stratum)) == sum(map(len, sizes))


@settings(max_examples=60, deadline=None)
@given(counts=st.lists(st.integers(1, 40), min_size=1, max_size=5), seed=st.integers(0, 99))
def test_any_beginning_holds_every_part_in_its_share(counts, seed):
    part = np.repeat(np.arange(len(counts)), counts)
    order = interleave(part, np.random.default_rng(seed))
    assert sorted(order) == list(range(len(part)))
    for number, count in enumerate(counts):
        seen = np.cumsum(part[order] == number)
        wanted = count * np.arange(1, len(part) + 1) / len(part)
        assert np.abs(seen - wanted).max() <= 2 + len(counts)


@settings(max_examples=60, deadline=None)
@given(
    sizes=sizes,
    batch=st.integers(1, 20),
    shards=st.sampled_from([1, 2, 4]),
    buffer=st.integers(20, 2000),
    seed=st.integers(0, 9),
)
def test_no_row_twice_and_only_remainders_wait(sizes, batch, shards, buffer, seed):
    rows = make_rows(*sizes)
    used = np.flatnonzero(np.random.default_rng(seed).random(rows.n_rows) < 0.6)
    data = card(batch_size=4 * batch, shards=shards, buffer=buffer)
    parts = training_shards(rows, used, data)
    assert np.sort(np.concatenate([shard.shuffle.rows for shard in parts])).tolist() == used.tolist()
    for shard in parts:
        windows = shard.windows(1, 0, shard.n_batches)
        if not shard.n_batches:
            assert windows == []
            continue
        taken = np.concatenate([window.batches for window in windows]).ravel()
        assert len(taken) == len(np.unique(taken)) == shard.n_batches * 4 * batch // shards
        assert np.isin(taken, shard.shuffle.rows).all()
        assert len(shard.shuffle.rows) - len(taken) < shard.shuffle.n_windows * (4 * batch // shards + 1)
        read = np.concatenate([window.rows for window in windows])
        assert len(read) == len(np.unique(read))
        for window in windows:
            assert len(window.batches) > 0
            assert np.isin(window.batches, window.rows).all()
            assert (np.diff(window.rows) > 0).all()


def test_one_window_is_a_plain_permutation():
    rows = make_rows((500, 500))
    batches = epoch_of(rows, np.arange(1000), card(batch_size=50))
    assert np.sort(batches.ravel()).tolist() == list(range(1000))


def test_memory_is_bounded_by_the_buffer():
    rows = make_rows((40_000,), (30_000, 10_000))
    shards = training_shards(rows, np.arange(rows.n_rows), card(batch_size=32, buffer=8_000, shards=2))
    held = 0
    for shard in shards:
        read = [len(window.rows) for window in shard.windows(1, 0, shard.n_batches)]
        held += max(np.add(read[1:], read[:-1]))
    assert held < 1.1 * 8_000


@pytest.mark.parametrize("shards", [1, 4])
def test_batches_of_a_stream_mix_classes_as_a_permutation_would(shards):
    """Rows lie sorted by class; a buffer of a tenth must not let it be seen in the batches."""
    rows = make_rows((20_000, 10_000), (10_000,))
    data = card(batch_size=64, buffer=4_000, shards=shards)
    for epoch in range(2):
        batches = epoch_of(rows, np.arange(rows.n_rows), data, epoch)
        assert batches.size > 0.96 * rows.n_rows
        share = (rows.class_index[batches] == 0).mean(1)
        assert share.mean() == pytest.approx(0.5, abs=0.01)
        binomial = 0.25 / 64
        assert 0.8 < share.var() / binomial < 1.25


def test_neighbours_of_a_file_seldom_meet():
    """Rows of an event, and of events made together: in a batch about as often as any two rows of a window."""
    rows = make_rows((40_000,))
    buffer = 8_000
    batches = epoch_of(rows, np.arange(40_000), card(batch_size=100, buffer=buffer))
    number = np.full(40_000, -1)
    number[batches.ravel()] = np.repeat(np.arange(len(batches)), 100)
    together = (number[1:] == number[:-1]) & (number[1:] >= 0)
    expected = 40_000 * 100 / (buffer / 2)
    assert together.sum() == pytest.approx(expected, abs=5 * expected**0.5)


def test_epochs_differ_in_batches_and_windows():
    rows = make_rows((20_000,))
    data = card(batch_size=50, buffer=4_000)
    first, second, again = (epoch_of(rows, np.arange(20_000), data, epoch) for epoch in (0, 1, 0))
    assert first.tolist() == again.tolist()
    assert len(np.intersect1d(first[:5], second[:5])) < 20
    waiting = [set(range(20_000)) - set(batches.ravel()) for batches in (first, second)]
    assert waiting[0] != waiting[1]


def test_batches_in_bins():
    rows = make_rows((3_000, 3_000))
    data = card(batch_size=50, bins=BinsCard(pt=3, abs_eta=2))
    batches = epoch_of(rows, np.arange(6_000), data)
    plain = epoch_of(rows, np.arange(6_000), card(batch_size=50))
    assert batches.shape == plain.shape
    group = quantile_bins(rows.parton_pt, 3) * 2 + quantile_bins(np.abs(rows.parton_eta), 2)
    mixed = [len(np.unique(group[batch])) > 1 for batch in batches]
    assert sum(mixed) <= 5
    starts = group[batches[:, 0]]
    assert (np.diff(starts) != 0).sum() > 30  # bins alternate; in order there were 5 changes
    spread = np.log(rows.parton_pt)
    assert np.mean([spread[batch].std() for batch in batches]) < 0.7 * np.mean([spread[b].std() for b in plain])


def test_equal_values_share_a_bin():
    assert quantile_bins(np.array([5.0] * 10), 4).tolist() == [3] * 10
    assert np.bincount(quantile_bins(np.arange(100.0), 4)).tolist() == [25] * 4


def test_held_out_rows_are_capped_and_from_every_part():
    rows = make_rows((20_000, 5_000), (15_000,))
    data = card(batch_size=64, validation_rows=2_000)
    usable = np.flatnonzero(np.random.default_rng(1).random(rows.n_rows) < 0.2)
    window = validation_window(rows, usable, data, multiple_of=2, seed=1)
    assert len(window.rows) == 2_000
    assert window.batches.shape == (31, 64)
    assert np.isin(window.rows, usable).all()
    assert np.bincount(rows.class_index[window.rows]) / 2_000 == pytest.approx([0.5, 0.125, 0.375], abs=0.2)
    pieces = cut_pieces(rows, 2048)
    assert len(np.unique(pieces.of(window.rows))) <= 8


def test_few_held_out_rows_make_one_smaller_batch():
    window = validation_window(make_rows((100,)), np.arange(80, 91), card(batch_size=64), multiple_of=4, seed=1)
    assert window.batches.shape == (1, 8)
