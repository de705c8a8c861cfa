"""A process beside the training that reads jets: `python -m jetssl.data.reading` serves requests on its pipes.

A thread would not do: HDF5 reads with Python's lock held, so a thread that reads and one that makes batches take
turns. A process that imports nothing of the caller works from scripts and notebooks as well; it ends with its parent,
whose pipe it reads.
"""

import pickle
import signal
import subprocess
import sys
import weakref
from collections.abc import Sequence
from contextlib import suppress
from typing import BinaryIO, cast

from jetssl.data.jet_table import JetTable
from jetssl.data.rows import Integers, Rows
from jetssl.data.windows import JetSource, Place
from resim.common.errors import InputError

NEWEST = pickle.HIGHEST_PROTOCOL


class ReadingProcess:
    """Reads one window at a time while its owner does something else.

    Args:
        rows: all rows of the files; the process is told only where they lie.
        columns: optional columns of constituents that are read.

    Attributes:
        close: ends the process; what it has read is lost. Called when nobody knows of this object any more.
    """

    def __init__(self, rows: Rows, columns: Sequence[str]) -> None:
        command = [sys.executable, "-m", __name__]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        self._requests = cast(BinaryIO, self._process.stdin)
        self._answers = cast(BinaryIO, self._process.stdout)
        self.close = weakref.finalize(self, _end, self._process)
        self._send((Place.of(rows), tuple(columns)))

    def request(self, wanted: Integers) -> None:
        """Begin to read a window, int64 `(R,)`, ascending; the one before must have been received."""
        self._send(wanted)

    def receive(self) -> JetTable:
        """The window that was requested.

        Raises:
            InputError: the process has died.
            Exception: what went wrong while it read.
        """
        try:
            answer = pickle.load(self._answers)  # noqa: S301
        except EOFError:
            raise InputError(
                f"the process that reads the pair files ended with status {self._process.wait()}; is memory short?"
                " lower data.buffer"
            ) from None
        if isinstance(answer, Exception):
            raise answer
        return cast(JetTable, answer)

    def _send(self, message: object) -> None:
        try:
            pickle.dump(message, self._requests, NEWEST)
            self._requests.flush()
        except BrokenPipeError:
            pass  # `receive` says what happened


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        with suppress(BrokenPipeError):  # a request that it did not live to read
            cast(BinaryIO, pipe).close()


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the requests end."""
    source = JetSource(*pickle.load(requests))  # noqa: S301
    while True:
        try:
            wanted = pickle.load(requests)  # noqa: S301
        except EOFError:
            return
        answer: object
        try:
            answer = source.read(wanted)
        except Exception as error:
            answer = error
        pickle.dump(answer, answers, NEWEST)
        answers.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # nobody is there to be told
    serve(sys.stdin.buffer, sys.stdout.buffer)
