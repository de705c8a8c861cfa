"""Options of `resim generate`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resim.card.run_options import RunOptions, Shard
from resim.common.errors import InputError


@given(st.integers(0, 50), st.integers(1, 12))
def test_shards_hold_everything_once_and_differ_by_one_at_most(n, of):
    ranges = [Shard(number, of).range_of(n) for number in range(1, of + 1)]
    assert [i for found in ranges for i in found] == list(range(n))
    assert max(map(len, ranges)) - min(map(len, ranges)) <= 1


@pytest.mark.parametrize("text", ["0/3", "4/3", "1/0", "a/b", "1", "1/3/5", "-1/3", " 1/3"])
def test_what_is_no_shard(text):
    with pytest.raises(InputError, match="want I/K with 1 <= I <= K"):
        Shard.parse(text)


def test_a_shard_is_written_as_it_is_read():
    assert str(Shard.parse("3/10")) == "3/10"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_events": 0}, "--n-events 0: must be at least 1"),
        ({"workers": 0}, "--workers 0: must be at least 1"),
        ({"chunk_size": -1}, "--chunk-size -1: must be at least 1"),
        ({"seed": -1}, "--seed -1: must be in"),
        ({"seed": 2**63}, "--seed 9223372036854775808: must be in"),
        ({"resume": True, "force": True}, "exclude each other"),
        ({"scheduler": "tcp://x", "workers": 2}, "--workers 2: the workers of --scheduler"),
    ],
)
def test_options_out_of_range(options, message):
    with pytest.raises(InputError, match=message):
        RunOptions(**options)
