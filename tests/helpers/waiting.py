"""Wait for what another process does, and no longer than a limit for what this one does."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def wait_until(condition: Callable[[], object], seconds: float = 120.0) -> None:
    """Return as soon as the condition holds; polled without taking the processor from whom one waits for.

    Raises:
        TimeoutError: it does not hold in time.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s in vain")
        time.sleep(0.05)


@contextmanager
def cpu_limit(seconds: float) -> Iterator[None]:
    """Break off what would not end in a reasonable time; counts CPU time of this process, not that of others.

    Raises:
        TimeoutError: the block used more.
    """

    def break_off(*_: object) -> None:
        raise TimeoutError(f"more than {seconds} s of CPU time")

    before = signal.signal(signal.SIGPROF, break_off)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
