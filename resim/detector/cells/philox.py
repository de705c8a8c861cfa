"""The random numbers of `resim.detector.random` in compiled code: as many as a deposit asks for, one after the other.

A stream is a tuple of 32-bit words: three of the counter, and the key (the seed of the event). The fourth word of the
counter is the number of a block of four random words. Everything here is a function of stream and number alone:
tuples of numbers stay in registers, while compiled code counts references to arrays wherever it hands them on.
"""

import math
from typing import Final

import numba
import numpy as np

_M0: Final = np.uint64(0xD2511F53)
_M1: Final = np.uint64(0xCD9E8D57)
_W0: Final = np.uint64(0x9E3779B9)
_W1: Final = np.uint64(0xBB67AE85)
_LOW: Final = np.uint64(0xFFFFFFFF)
_32: Final = np.uint64(32)
_ONE: Final = np.uint64(1)
_FRACTION: Final = 2.0**-32
_LARGE_MEAN: Final = 50.0
"""Mean from which on a Poisson number is a rounded normal one; its skewness is then below 0.14."""

Word = np.uint64
Words = tuple[Word, Word, Word, Word]
Stream = tuple[Word, Word, Word, Word, Word]


@numba.njit(cache=True, forceinline=True)
def key_of(seed: np.uint64) -> tuple[Word, Word]:
    """The two words of the key of an event."""
    return seed & _LOW, seed >> _32


@numba.njit(cache=True, forceinline=True)
def block(stream: Stream, number: Word) -> Words:
    """Philox4x32-10: four random 32-bit words.

    Args:
        stream: of the numbers.
        number: of the block in it.
    """
    c0, c1, c2, k0, k1 = stream
    c3 = number
    for _ in range(10):
        product0, product1 = _M0 * c0, _M1 * c2
        c0 = ((product1 >> _32) ^ c1 ^ k0) & _LOW
        c2 = ((product0 >> _32) ^ c3 ^ k1) & _LOW
        c1, c3 = product1 & _LOW, product0 & _LOW
        k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    return c0, c1, c2, c3


@numba.njit(cache=True, forceinline=True)
def uniform(word: Word) -> float:
    """Number in (0, 1) of a 32-bit word."""
    return (np.float64(word) + 0.5) * _FRACTION


@numba.njit(cache=True, forceinline=True)
def normal(first: Word, second: Word) -> float:
    """Standard normal number of two 32-bit words, at most 6.7 (Box and Muller 1958, the cosine half)."""
    return math.sqrt(-2 * math.log(uniform(first))) * math.cos(2 * math.pi * uniform(second))


@numba.njit(cache=True)
def poisson(mean: float, words: Words) -> int:
    """Poisson number of a block: by inversion, or normal for a mean of 50 or more.

    Args:
        mean: at least 0.
        words: random, of which the first two are used.
    """
    if mean >= _LARGE_MEAN:
        return max(math.floor(mean + math.sqrt(mean) * normal(words[0], words[1]) + 0.5), 0)
    left = uniform(words[0])
    chance = math.exp(-mean)
    number = 0
    while left > chance and number < 4 * _LARGE_MEAN:
        left -= chance
        number += 1
        chance *= mean / number
    return number


@numba.njit(cache=True)
def gamma(shape: float, stream: Stream, number: Word) -> tuple[float, Word, Word]:
    """Gamma distributed number of scale 1 (Marsaglia and Tsang, ACM TOMS 26 (2000) 363).

    Args:
        shape: above 0.
        stream: of the random numbers.
        number: of the first block to draw.

    Returns:
        The number, a random word that it was not made of, and the next block.
    """
    d = (shape if shape >= 1 else shape + 1) - 1 / 3
    c = 1 / math.sqrt(9 * d)
    while True:
        words = block(stream, number)
        number += _ONE
        x = normal(words[0], words[1])
        v = 1 + c * x
        v = v * v * v
        if v <= 0:
            continue
        u = uniform(words[2])
        if u < 1 - 0.0331 * x * x * x * x or math.log(u) < 0.5 * x * x + d - d * v + d * math.log(v):
            break
    if shape >= 1:
        return d * v, words[3], number
    u = uniform(block(stream, number)[0])
    return d * v * math.exp(math.log(u) / shape), words[3], number + _ONE


@numba.njit(cache=True)
def disc(stream: Stream, number: Word) -> tuple[float, float, Word, Word]:
    """Point of the plane with the density 2 r / (1 + r²)² of its distance r from the origin, whose median is 1.

    A point drawn from the unit disc (Marsaglia and Bray, SIAM Rev. 6 (1964) 260) has s = x² + y² uniform and
    independent of its direction, and r² = s / (1 - s).

    Args:
        stream: of the random numbers.
        number: of the first block to draw.

    Returns:
        The point, a random word that it was not made of, and the next block.
    """
    while True:
        words = block(stream, number)
        number += _ONE
        x, y = 2 * uniform(words[0]) - 1, 2 * uniform(words[1]) - 1
        left = 1 - x * x - y * y
        if left > 0:
            stretch = 1 / math.sqrt(left)
            return x * stretch, y * stretch, words[2], number
