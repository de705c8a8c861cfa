"""Split rows by hard scatter: a hash of (SHA-256 of the LHE file, event) decides, nothing else.

The side of an event does not depend on the order or number of files and rows, on the run's seed, or on which view
is looked at; so rows that share an event never sit on two sides, and a file that grows keeps its old division.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jetssl.config.data import Fractions
from jetssl.data.rows import Rows
from resim.common.arrays import Integers


@dataclass(frozen=True, slots=True)
class Splits:
    """Row indices of each side, ascending."""

    train: Integers
    """int64 `(n_train,)`"""
    validation: Integers
    """int64 `(n_validation,)`"""
    test: Integers
    """int64 `(n_test,)`"""

    @property
    def sides(self) -> tuple[Integers, Integers, Integers]:
        """Training, validation, test."""
        return self.train, self.validation, self.test


def hard_scatter_keys(sources: Sequence[str], source: Integers, event: Integers) -> npt.NDArray[np.uint64]:
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


def split_rows(rows: Rows, fractions: Fractions) -> Splits:
    """Split all rows into training, validation and test."""
    position = hard_scatter_keys(rows.sources, rows.source, rows.event) / 2.0**64
    side = np.digitize(position, [fractions.train, fractions.train + fractions.validation])
    return Splits(*(np.flatnonzero(side == i) for i in range(3)))


def _mix(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Finalizer of SplitMix64 (doi:10.1145/2660193.2660195): a bijection that scrambles all bits."""
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)), np.uint64)
