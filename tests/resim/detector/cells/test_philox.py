"""Compiled random numbers against those of `resim.detector.random`, and their distributions."""

import numpy as np
import pytest
from scipy import stats

from resim.detector.cells.philox import block, gamma, normal, poisson, uniform
from resim.detector.random import philox

N = 20_000


def state(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.array([7, 3, 2, 0], np.uint64), np.array([seed, 5], np.uint64), np.zeros(4, np.uint64)


def test_blocks_are_those_of_the_arrays():
    counter, key, out = state(0xFFFFFFFF)
    for number in range(5):
        block(counter, key, out)
        words = philox(tuple(np.array([c], np.uint64) for c in (7, 3, 2, number)), (key[:1], key[1:]))
        assert out.tolist() == [int(word[0]) for word in words]


def test_uniform_numbers_are_never_0_or_1():
    assert 0 < uniform(np.uint64(0)) < 1e-9
    assert 1 - 1e-9 < uniform(np.uint64(0xFFFFFFFF)) < 1
    assert normal(np.uint64(0), np.uint64(0)) == pytest.approx(6.7, abs=0.1)


@pytest.mark.parametrize("shape", [0.4, 1.0, 3.7, 40.0])
def test_gamma_numbers_have_their_distribution(shape):
    arguments = state(11)
    numbers = [gamma(shape, *arguments) for _ in range(N)]
    assert stats.kstest(numbers, stats.gamma(shape).cdf).pvalue > 1e-3


@pytest.mark.parametrize("mean", [0.3, 6.0, 49.0])
def test_poisson_numbers_have_their_distribution(mean):
    arguments = state(12)
    counts = np.bincount([poisson(mean, *arguments) for _ in range(N)])
    expected = N * stats.poisson(mean).pmf(np.arange(len(counts)))
    some = expected > 10
    chi2 = ((counts - expected)[some] ** 2 / expected[some]).sum()
    assert stats.chi2(some.sum()).sf(chi2) > 1e-3


def test_large_poisson_numbers_have_mean_and_variance():
    arguments = state(13)
    numbers = np.array([poisson(900.0, *arguments) for _ in range(N)])
    assert numbers.mean() == pytest.approx(900, abs=4 * 30 / N**0.5)
    assert numbers.var() == pytest.approx(900, rel=0.04)
    assert poisson(0.0, *arguments) == 0
