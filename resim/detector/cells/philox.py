"""The random numbers of `resim.detector.random` in compiled code: as many as a deposit asks for, one after the other.

A stream is known by its key (the seed of the event) and three words of the counter; the fourth word counts the blocks
of four 32-bit words that are drawn from it.
"""

import math
from typing import Final

import numba
import numpy as np
import numpy.typing as npt

_M0: Final = np.uint64(0xD2511F53)
_M1: Final = np.uint64(0xCD9E8D57)
_W0: Final = np.uint64(0x9E3779B9)
_W1: Final = np.uint64(0xBB67AE85)
_LOW: Final = np.uint64(0xFFFFFFFF)
_32: Final = np.uint64(32)
_FRACTION: Final = 2.0**-32
_LARGE_MEAN: Final = 50.0
"""Mean from which on a Poisson number is a rounded normal one; its skewness is then below 0.14."""

Words = npt.NDArray[np.uint64]


@numba.njit(cache=True, inline="always")
def block(counter: Words, key: Words, out: Words) -> None:
    """Philox4x32-10 of one counter; afterwards the last word of the counter is one more.

    Args:
        counter: uint64 `(4,)`, 32-bit words.
        key: uint64 `(2,)`, likewise.
        out: uint64 `(4,)`, filled with four random 32-bit words.
    """
    c0, c1, c2, c3 = counter[0], counter[1], counter[2], counter[3]
    k0, k1 = key[0], key[1]
    for _ in range(10):
        product0, product1 = _M0 * c0, _M1 * c2
        c0 = ((product1 >> _32) ^ c1 ^ k0) & _LOW
        c2 = ((product0 >> _32) ^ c3 ^ k1) & _LOW
        c1, c3 = product1 & _LOW, product0 & _LOW
        k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    out[0], out[1], out[2], out[3] = c0, c1, c2, c3
    counter[3] += np.uint64(1)


@numba.njit(cache=True, inline="always")
def uniform(word: np.uint64) -> float:
    """Number in (0, 1) of a 32-bit word."""
    return (np.float64(word) + 0.5) * _FRACTION


@numba.njit(cache=True, inline="always")
def normal(first: np.uint64, second: np.uint64) -> float:
    """Standard normal number of two 32-bit words, at most 6.7 (Box and Muller 1958, the cosine half)."""
    return math.sqrt(-2 * math.log(uniform(first))) * math.cos(2 * math.pi * uniform(second))


@numba.njit(cache=True)
def poisson(mean: float, counter: Words, key: Words, out: Words) -> int:
    """Poisson number from one block: by inversion, or normal for a mean of 50 or more.

    Args:
        mean: at least 0.
        counter: as `block`.
        key: likewise.
        out: likewise.
    """
    block(counter, key, out)
    if mean >= _LARGE_MEAN:
        return max(math.floor(mean + math.sqrt(mean) * normal(out[0], out[1]) + 0.5), 0)
    left = uniform(out[0])
    chance = math.exp(-mean)
    number = 0
    while left > chance and number < 4 * _LARGE_MEAN:
        left -= chance
        number += 1
        chance *= mean / number
    return number


@numba.njit(cache=True)
def gamma(shape: float, counter: Words, key: Words, out: Words) -> float:
    """Gamma distributed number of scale 1 (Marsaglia and Tsang, ACM TOMS 26 (2000) 363).

    Args:
        shape: above 0.
        counter: as `block`.
        key: likewise.
        out: likewise; its last word is not used for the number.
    """
    d = (shape if shape >= 1 else shape + 1) - 1 / 3
    c = 1 / math.sqrt(9 * d)
    while True:
        block(counter, key, out)
        x = normal(out[0], out[1])
        v = 1 + c * x
        v = v * v * v
        if v <= 0:
            continue
        u = uniform(out[2])
        if u < 1 - 0.0331 * x * x * x * x or math.log(u) < 0.5 * x * x + d - d * v + d * math.log(v):
            break
    if shape >= 1:
        return d * v
    last = out[3]
    block(counter, key, out)
    factor = math.exp(math.log(uniform(out[0])) / shape)
    out[3] = last
    return d * v * factor
