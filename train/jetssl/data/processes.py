"""Processes that work for this one: each answers one request after the other, while its owner does something else.

A thread would not do: HDF5 reads with Python's lock held, and NumPy computes with it. The process imports nothing of
the caller, so it works from scripts and notebooks as well; it ends with its parent, whose pipe it reads.
"""

import os
import pickle
import signal
import subprocess
import sys
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO, Final, cast

from resim.common.errors import InputError

NEWEST: Final = pickle.HIGHEST_PROTOCOL


class Helper:
    """Another process; one request at a time.

    Args:
        module: whose function `serve` the process runs.
        setup: what that is told first.
        trouble: what is said if the process ends before its owner: who it is and what helps, in one line that
            `{status}` stands in for its exit status.

    Attributes:
        close: ends the process; what it has made is lost. Called when nobody knows of this object any more.
    """

    def __init__(self, module: str, setup: object, trouble: str) -> None:
        command = [sys.executable, "-P", "-c", f"from {module} import serve; serve()"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        self._trouble = trouble
        self._requests = cast(BinaryIO, self._process.stdin)
        self._answers = cast(BinaryIO, self._process.stdout)
        self.close = weakref.finalize(self, _end, self._process)
        self.request(setup)

    def request(self, message: object) -> None:
        """Ask for something; the answer before must have been received."""
        try:
            pickle.dump(message, self._requests, NEWEST)
            self._requests.flush()
        except BrokenPipeError:
            pass  # `receive` says what happened

    def receive(self) -> Any:
        """The answer to the request.

        Raises:
            InputError: the process has died.
            Exception: what went wrong there.
        """
        try:
            answer = pickle.load(self._answers)  # noqa: S301
        except (EOFError, pickle.UnpicklingError):  # before or within an answer
            raise InputError(self._trouble.format(status=self._process.wait())) from None
        if isinstance(answer, Exception):
            raise answer
        return answer


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        with suppress(BrokenPipeError):  # a request that it did not live to read
            cast(BinaryIO, pipe).close()


def answer_requests(prepare: Callable[[Any], Callable[[Any], object]]) -> None:
    """Answer the requests on stdin until they end: what `serve` of a module does.

    Args:
        prepare: gives, for the setup, the function that answers; what either raises is the answer, too.
    """
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # nobody is there to be told
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a C++ library prints is no answer
    setup, answering = pickle.load(requests), None  # noqa: S301
    while True:
        try:
            request = pickle.load(requests)  # noqa: S301
        except EOFError:
            return
        answer: object
        try:
            answering = answering or prepare(setup)
            answer = answering(request)
        except Exception as error:
            answer = error
        pickle.dump(answer, answers, NEWEST)
        answers.flush()
