"""Jets of a window of rows, read from the files where they lie.

Letters: R rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jetssl.data.jet_table import JetTable, concatenate, read_jets
from jetssl.data.rows import Integers, Rows
from resim.reader import PairFile

BLOCK_ROWS = 16384
"""Rows that are read at once where many follow each other."""
LONGEST_GAP = 1024
"""Unwanted rows that are read rather than skipped: about an HDF5 chunk of constituents."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where rows are found: what a reader must know of `Rows`."""

    paths: tuple[str, ...]
    """the files, in the order of the rows"""
    sizes: tuple[int, ...]
    """rows of each"""
    views: tuple[str, ...]

    @classmethod
    def of(cls, rows: Rows) -> "Place":
        """The place of all rows."""
        paths, sizes = zip(*((record.path, record.rows) for record in rows.files), strict=True)
        return cls(paths, sizes, rows.views)


def read_window(place: Place, wanted: Integers, columns: Sequence[str]) -> JetTable:
    """Jets of some rows, in all views.

    Args:
        place: where the rows are.
        wanted: int64 `(R,)`, ascending.
        columns: optional columns of constituents that are read.
    """
    tables, start = [], 0
    for path, size in zip(place.paths, place.sizes, strict=True):
        inside = wanted[slice(*np.searchsorted(wanted, [start, start + size]))] - start
        start += size
        if len(inside):
            with PairFile(path) as file:
                tables += [
                    read_jets(file, place.views, int(run[0]), int(run[-1]) + 1, columns).take(run - run[0])
                    for run in _runs(inside)
                ]
    return concatenate(tables)


def _runs(wanted: Integers) -> list[Integers]:
    """Cut ascending rows where a long gap is, and where a block is full."""
    runs = []
    for run in np.split(wanted, np.flatnonzero(np.diff(wanted) > LONGEST_GAP) + 1):
        block = (run - run[0]) // BLOCK_ROWS
        runs += np.split(run, np.flatnonzero(np.diff(block)) + 1)
    return runs
