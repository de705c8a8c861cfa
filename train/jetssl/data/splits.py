"""Split rows by hard scatter: its identity, a hash of its particles, decides, nothing else.

The side of an event does not depend on the LHE file that holds it, on the order or number of files and rows, on the
run's seed, or on which view is looked at; so rows of equal events never sit on two sides, and a file that grows keeps
its old division.
"""

from dataclasses import dataclass

import numpy as np

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


def split_rows(rows: Rows, fractions: Fractions) -> Splits:
    """Split all rows into training, validation and test."""
    position = rows.identity / 2.0**64
    side = np.digitize(position, [fractions.train, fractions.train + fractions.validation])
    return Splits(*(np.flatnonzero(side == i) for i in range(3)))
