"""Jets of a window of rows, read from the files where they lie; the next window is read while one is used.

Letters: R rows.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from jetssl.data.jet_table import JetTable, concatenate, read_jets
from jetssl.data.rows import Integers, Rows
from resim.reader import PairFile

BLOCK_ROWS = 16384
"""Rows that are read at once where many follow each other."""
LONGEST_GAP = 1024
"""Unwanted rows that are read rather than skipped: about an HDF5 chunk of constituents."""


def read_window(rows: Rows, wanted: Integers, columns: Sequence[str]) -> JetTable:
    """Jets of some rows, in all views.

    Args:
        rows: all rows of the files.
        wanted: int64 `(R,)`, ascending.
        columns: optional columns of constituents that are read.
    """
    stops = np.cumsum([record.rows for record in rows.files])
    tables = []
    for record, stop in zip(rows.files, stops, strict=True):
        start = stop - record.rows
        inside = wanted[slice(*np.searchsorted(wanted, [start, stop]))] - start
        if len(inside):
            with PairFile(record.path) as file:
                tables += [
                    read_jets(file, rows.views, int(run[0]), int(run[-1]) + 1, columns).take(run - run[0])
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


class WindowReader:
    """Holds the jets of one window, and reads those of the next.

    Args:
        rows: all rows of the files.
        columns: optional columns of constituents that are read.
    """

    def __init__(self, rows: Rows, columns: Sequence[str]) -> None:
        self._rows, self._columns = rows, columns
        self._present: tuple[Integers, JetTable] | None = None
        self._next: tuple[Integers, Future[JetTable]] | None = None
        self._thread = ThreadPoolExecutor(1)

    def read(self, wanted: Integers) -> JetTable:
        """Jets of a window; the one before is forgotten. The same array gives the same jets without reading."""
        if self._present is not None and self._present[0] is wanted:
            return self._present[1]
        self._present = None
        announced, self._next = self._next, None
        if announced is not None and announced[0] is wanted:
            table = announced[1].result()
        else:
            table = read_window(self._rows, wanted, self._columns)
        self._present = wanted, table
        return table

    def announce(self, wanted: Integers) -> None:
        """Begin to read a window in a thread of its own."""
        known = [entry[0] for entry in (self._present, self._next) if entry is not None]
        if any(entry is wanted for entry in known):
            return
        self._next = wanted, self._thread.submit(read_window, self._rows, wanted, self._columns)
