"""The jets of one window after the other; the next one is read while one is used."""

from collections.abc import Sequence

from jetssl.data.jet_table import JetTable
from jetssl.data.reading import ReadingProcess
from jetssl.data.rows import Integers, Rows
from jetssl.data.windows import JetSource, Place


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
        """Jets of a window; the one before is forgotten. The same array gives the same jets without reading."""
        if self._present is not None and self._present[0] is wanted:
            return self._present[1]
        self._present = None
        announced, self._next = self._next, None
        if announced is not None and self._process is not None:
            table = self._process.receive()
        if announced is None or announced is not wanted:
            table = self._source.read(wanted)
        self._present = wanted, table
        return table

    def announce(self, wanted: Integers) -> None:
        """Begin to read a window, unless one is being read."""
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
