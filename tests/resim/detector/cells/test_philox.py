"""Compiled random numbers against those of `resim.detector.random`, and their distributions."""

import numpy as np
import pytest
from scipy import stats

from resim.detector.cells.philox import block, disc, gamma, key_of, normal, poisson, uniform
from resim.detector.random import philox

N = 20_000
FIRST = np.uint64(0)


def stream(seed: int) -> tuple[np.uint64, ...]:
    return tuple(np.array([7, 3, 2, seed, 5], np.uint64))


def in_a_row(draw, *arguments) -> list[tuple[float, ...]]:
    """Numbers drawn one after the other, each from the block after those of the one before."""
    number, found = FIRST, []
    for _ in range(N):
        *values, number = draw(*arguments, np.uint64(number))
        found.append(values)
    return found


def test_blocks_are_those_of_the_arrays():
    for number in range(5):
        words = philox(
            tuple(np.array([c], np.uint64) for c in (7, 3, 2, number)),
            tuple(np.array([[0xFFFFFFFF], [5]], np.uint64)),
        )
        assert list(block(stream(0xFFFFFFFF), np.uint64(number))) == [int(word[0]) for word in words]


def test_the_key_is_the_seed():
    assert key_of(np.uint64((3 << 32) + 9)) == (9, 3)


def test_uniform_numbers_are_never_0_or_1():
    assert 0 < uniform(np.uint64(0)) < 1e-9
    assert 1 - 1e-9 < uniform(np.uint64(0xFFFFFFFF)) < 1
    assert normal(np.uint64(0), np.uint64(0)) == pytest.approx(6.7, abs=0.1)


@pytest.mark.parametrize("shape", [0.4, 1.0, 3.7, 40.0])
def test_gamma_numbers_have_their_distribution(shape):
    numbers, spare = np.array(in_a_row(gamma, shape, stream(11))).T
    assert stats.kstest(numbers, stats.gamma(shape).cdf).pvalue > 1e-3
    assert stats.kstest(spare / 2**32, stats.uniform.cdf).pvalue > 1e-3
    assert abs(stats.spearmanr(numbers, spare).statistic) < 4 / N**0.5


def test_points_about_an_axis_have_their_density():
    """r² / (1 + r²) is uniform, and so is the azimuth, one whatever the other is."""
    x, y, spare = np.array(in_a_row(disc, stream(14))).T
    inside, azimuth = (x * x + y * y) / (1 + x * x + y * y), np.arctan2(y, x)
    for numbers in (inside, azimuth / (2 * np.pi) + 0.5, spare / 2**32):
        assert stats.kstest(numbers, stats.uniform.cdf).pvalue > 1e-3
    assert abs(stats.spearmanr(inside, azimuth).statistic) < 4 / N**0.5
    assert abs(stats.spearmanr(inside, spare).statistic) < 4 / N**0.5


def poisson_numbers(mean: float, seed: int) -> np.ndarray:
    return np.array([poisson(mean, block(stream(seed), np.uint64(number))) for number in range(N)])


@pytest.mark.parametrize("mean", [0.3, 6.0, 49.0])
def test_poisson_numbers_have_their_distribution(mean):
    counts = np.bincount(poisson_numbers(mean, 12))
    expected = N * stats.poisson(mean).pmf(np.arange(len(counts)))
    some = expected > 10
    chi2 = ((counts - expected)[some] ** 2 / expected[some]).sum()
    assert stats.chi2(some.sum()).sf(chi2) > 1e-3


def test_large_poisson_numbers_have_mean_and_variance():
    numbers = poisson_numbers(900.0, 13)
    assert numbers.mean() == pytest.approx(900, abs=4 * 30 / N**0.5)
    assert numbers.var() == pytest.approx(900, rel=0.04)
    assert poisson(0.0, block(stream(13), FIRST)) == 0
