import numpy as np
import pytest
from scipy.stats import kstest

from resim.detector.random import Stream, philox


def words(*values: int) -> tuple[np.ndarray, ...]:
    return tuple(np.array([value], np.uint64) for value in values)


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_gives_the_published_test_vectors(counter, key, expected):
    """Random123 1.14, kat_vectors, philox4x32 with 10 rounds."""
    assert tuple(int(word[0]) for word in philox(words(*counter), words(*key))) == expected


def numbers(seed: int = 1, module: str = "ECal", draw: int = 0, items: int = 40_000) -> np.ndarray:
    stream = Stream.of(np.array([seed], np.uint64), module)
    return stream.normal(np.zeros(items, np.int64), np.arange(items), draw)


def test_normal_numbers_are_normal():
    assert kstest(numbers(), "norm").pvalue > 0.001


def test_uniform_numbers_are_uniform_and_independent():
    stream = Stream.of(np.array([2**64 - 1], np.uint64), "HCal")
    first, second = stream.uniform(np.zeros(40_000, np.int64), np.arange(40_000), 3)
    counts = np.histogram2d(first, second, bins=10, range=[[0, 1], [0, 1]])[0]
    assert ((counts - 400) ** 2 / 400).sum() / 99 < 1.4
    assert abs(np.corrcoef(first, second)[0, 1]) < 4 / 200


@pytest.mark.parametrize("other", [{"seed": 2}, {"module": "HCal"}, {"draw": 1}, {"seed": 1 + 2**32}])
def test_other_addresses_give_independent_numbers(other):
    assert abs(np.corrcoef(numbers(), numbers(**other))[0, 1]) < 4 / 200


def test_numbers_do_not_depend_on_what_else_is_asked_for():
    stream = Stream.of(np.arange(5, dtype=np.uint64), "x")
    event, item = np.array([4, 0, 3, 3]), np.array([7, 1, 2, 100_000])
    together = stream.normal(event, item, 0)
    alone = [
        Stream.of(np.array([e], np.uint64), "x").normal(np.array([0]), np.array([i]), 0)[0]
        for e, i in zip(event, item, strict=True)
    ]
    assert together.tolist() == alone
