"""Jets of windows of rows, read from the files where they lie; the next window is read while one is used.

A process of its own reads ahead (`jetssl.data.processes`).

Letters: R rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

import numpy as np

from jetssl.data.jet_table import JetTable, concatenate, read_jets
from jetssl.data.processes import Helper, answer_requests
from jetssl.data.rows import Rows
from resim.common.arrays import Integers
from resim.pairfile.reader import PairFile

ROWS_AT_ONCE: Final = 16384
"""Rows that are read at once where many follow each other."""
LONGEST_GAP: Final = 1024
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
        block = (run - run[0]) // ROWS_AT_ONCE
        runs += np.split(run, np.flatnonzero(np.diff(block)) + 1)
    return runs


class ReadingProcess(Helper):
    """Reads one window at a time while its owner does something else; a request is its rows, int64 `(R,)`, ascending.

    Args:
        rows: all rows of the files; the process is told only where they lie.
        columns: optional columns of constituents that are read.
    """

    def __init__(self, rows: Rows, columns: Sequence[str]) -> None:
        trouble = (
            "the process that reads the pair files ended with status {status}; is memory short? lower data.buffer"
        )
        super().__init__(__name__, (Place.of(rows), tuple(columns)), trouble)


def serve() -> None:
    """The program of a `ReadingProcess`."""
    answer_requests(lambda setup: JetSource(*setup).read)


class WindowReader:
    """Holds the jets of one window, and has those of the next read by a process of its own.

    Args:
        rows: all rows of the files.
        columns: optional columns of constituents that are read.
    """

    def __init__(self, rows: Rows, columns: Sequence[str]) -> None:
        self._rows, self._columns = rows, columns
        self._source = JetSource(Place.of(rows), columns)
        self._present: tuple[Integers, JetTable] | None = None
        self._next: Integers | None = None
        self._process: ReadingProcess | None = None

    def read(self, wanted: Integers) -> JetTable:
        """Jets of a window of rows, int64 `(R,)`; only the latest window is kept, and read once for one array."""
        if self._present is not None and self._present[0] is wanted:
            return self._present[1]
        self._present = None
        announced, self._next = self._next, None
        if announced is not None and self._process is not None:
            table = cast(JetTable, self._process.receive())
        if announced is None or announced is not wanted:
            table = self._source.read(wanted)
        self._present = wanted, table
        return table

    def announce(self, wanted: Integers) -> None:
        """Begin to read a window of rows, int64 `(R,)`, unless another one is being read."""
        if self._next is not None:
            return
        if self._process is None:
            self._process = ReadingProcess(self._rows, self._columns)
        self._next = wanted
        self._process.request(wanted)

    def close(self) -> None:
        """End the process, close the files; both are there again when they are needed."""
        self._source.close()
        if self._process is not None:
            self._process.close()
        self._process = self._next = None
