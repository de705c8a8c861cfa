"""Keep C++ libraries from printing on stdout, which is for results."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def stdout_silenced() -> Iterator[None]:
    """Send what C++ writes to file descriptor 1 to nowhere."""
    sys.stdout.flush()
    saved = os.dup(1)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - os.devnull is not a path on every system
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)


def printed_by(function: Callable[[], object]) -> str:
    """What C++ writes to file descriptor 1 while a function runs."""
    sys.stdout.flush()
    saved = os.dup(1)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 1)
        try:
            function()
        finally:
            os.dup2(saved, 1)
            os.close(saved)
        file.seek(0)
        return file.read().decode(errors="replace")
