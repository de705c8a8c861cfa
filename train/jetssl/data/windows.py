"""Jets of a window of rows, read from the files where they lie.

Letters: R rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jetssl.data.jet_table import JetTable, concatenate, read_jets
from jetssl.data.rows import Integers, Rows
from resim.pairfile.reader import PairFile

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


class JetSource:
    """Reads jets where they lie; files stay open, as to open one takes as long as to read a thousand jets.

    Args:
        place: where the rows are.
        columns: optional columns of constituents that are read.
    """

    def __init__(self, place: Place, columns: Sequence[str]) -> None:
        self._place, self._columns = place, columns
        self._open: dict[str, PairFile] = {}

    def read(self, wanted: Integers) -> JetTable:
        """Jets of some rows, int64 `(R,)`, ascending, in all views."""
        tables, start = [], 0
        for path, size in zip(self._place.paths, self._place.sizes, strict=True):
            inside = wanted[slice(*np.searchsorted(wanted, [start, start + size]))] - start
            start += size
            tables += [self._run(path, run) for run in _runs(inside)]
        return concatenate(tables)

    def _run(self, path: str, rows: Integers) -> JetTable:
        if path not in self._open:
            self._open[path] = PairFile(path)
        first, stop = int(rows[0]), int(rows[-1]) + 1
        return read_jets(self._open[path], self._place.views, first, stop, self._columns).take(rows - first)

    def close(self) -> None:
        """Close the files."""
        for file in self._open.values():
            file.close()
        self._open.clear()


def _runs(wanted: Integers) -> list[Integers]:
    """Cut ascending rows where a long gap is, and where a block is full."""
    if not len(wanted):
        return []
    runs: list[Integers] = []
    for run in np.split(wanted, np.flatnonzero(np.diff(wanted) > LONGEST_GAP) + 1):
        block = (run - run[0]) // BLOCK_ROWS
        runs += np.split(run, np.flatnonzero(np.diff(block)) + 1)
    return runs
