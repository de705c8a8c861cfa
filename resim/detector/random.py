"""Counter-based random numbers for arrays of particles and towers.

A number depends on the seed of its event, on the module that asks and on which particle or tower of the event it is
for, never on what else is in the batch or was drawn before.

The generator is Philox4x32-10 of J. K. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC11,
doi:10.1145/2063384.2063405, here for arrays of keys and counters at once. It passes their published test vectors.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from resim.common.arrays import Floats

Words = npt.NDArray[np.uint64]

_MULTIPLIERS: Final = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL: Final = (0x9E3779B9, 0xBB67AE85)
_ROUNDS: Final = 10
_LOW: Final = np.uint64(0xFFFFFFFF)
_32: Final = np.uint64(32)
_BLOCK: Final = 8192
"""Numbers made at a time, so that the words of a block stay in the cache."""


def philox(counter: tuple[Words, Words, Words, Words], key: tuple[Words, Words]) -> tuple[Words, Words, Words, Words]:
    """Philox4x32-10 of arrays of counters and keys.

    Args:
        counter: four 32-bit words each, as uint64 arrays of one shape.
        key: two 32-bit words each, likewise.

    Returns:
        Four random 32-bit words each, as uint64 arrays.
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for number in range(_ROUNDS):
        weyl0, weyl1 = (np.uint64(number * word & 0xFFFFFFFF) for word in _WEYL)
        product0, product1 = _MULTIPLIERS[0] * c0, _MULTIPLIERS[1] * c2
        c0 = ((product1 >> _32) ^ c1 ^ (k0 + weyl0)) & _LOW
        c2 = ((product0 >> _32) ^ c3 ^ (k1 + weyl1)) & _LOW
        c1, c3 = product1, product0  # only their lower words count, which the next round keeps
    return c0, c1 & _LOW, c2, c3 & _LOW


@dataclass(frozen=True, slots=True)
class Stream:
    """The random numbers of one module in a batch of events.

    Attributes:
        seeds: `(n_events,)`, one seed for each event.
        module: number of the module, 32 bits.
    """

    seeds: Words
    module: int

    @classmethod
    def of(cls, seeds: Words, name: str) -> "Stream":
        """The stream of the module called `name`, whatever other modules a card has."""
        return cls(seeds, int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest(), "little"))

    def uniform(self, event: npt.NDArray[Any], item: npt.NDArray[Any], draw: int) -> tuple[Floats, Floats]:
        """Two independent uniform numbers in [0, 1) for every item.

        Args:
            event: `(n,)`, event of every item in the batch.
            item: `(n,)`, number of the item (a particle, a tower) in its event, below 2³².
            draw: number of the draw, for modules that need more than two numbers an item.
        """
        first, second = np.empty(len(item)), np.empty(len(item))
        for start in range(0, len(item), _BLOCK):
            block = slice(start, start + _BLOCK)
            w0, w1, w2, w3 = self._words(event[block], item[block], draw)
            first[block], second[block] = _fraction(w0, w1), _fraction(w2, w3)
        return first, second

    def normal(self, event: npt.NDArray[Any], item: npt.NDArray[Any], draw: int) -> Floats:
        """A standard normal number for every item, as `uniform` (Box and Muller 1958, the cosine half)."""
        radius, angle = self.uniform(event, item, draw)
        return np.asarray(np.sqrt(-2 * np.log(1 - radius)) * np.cos(2 * np.pi * angle))

    def _words(self, event: npt.NDArray[Any], item: npt.NDArray[Any], draw: int) -> tuple[Words, Words, Words, Words]:
        seeds = self.seeds[event]
        items = item.astype(np.uint64)
        same = np.zeros_like(items)
        counter = (items, same + np.uint64(draw), same + np.uint64(self.module), same)
        return philox(counter, (seeds & _LOW, seeds >> _32))


def _fraction(high: Words, low: Words) -> Floats:
    """Number in [0, 1) with 53 random bits of two 32-bit words."""
    return np.asarray(((high << np.uint64(21)) | (low >> np.uint64(11))) * 2.0**-53)
