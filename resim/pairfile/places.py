"""Identity of hard scatters by their place: LHE file and index in it. That of files of version 2, and of toys."""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from resim.common.arrays import Integers

Identities = npt.NDArray[np.uint64]


def identity_of_place(sources: Sequence[str], source: Integers, event: Integers) -> Identities:
    """64-bit identity of the hard scatter of every row.

    Args:
        sources: SHA-256 of each LHE file.
        source: index into `sources`, `(R,)`.
        event: index of the event in its file, `(R,)`.

    Returns:
        uint64 `(R,)`, uniformly distributed over hard scatters.
    """
    of_source = [int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little") for name in sources]
    return _mix(np.array(of_source, np.uint64)[source] ^ _mix(event.astype(np.uint64)))


def _mix(values: Identities) -> Identities:
    """Finalizer of SplitMix64 (doi:10.1145/2660193.2660195): a bijection that scrambles all bits."""
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)), np.uint64)
