"""Progress of long work on stderr: a bar with rate and ETA on a terminal, a line now and then elsewhere."""

import logging
import time
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

log = logging.getLogger(__name__)

_SECONDS_BETWEEN_LINES: Final = 10.0


class _Rate(ProgressColumn):
    def __init__(self, unit: str) -> None:
        super().__init__()
        self.unit = unit

    def render(self, task: Task) -> Text:
        """Rate of a task."""
        return Text("" if task.speed is None else f"{task.speed:.1f} {self.unit}/s")


class ProgressReport:
    """Context manager that reports how far a task is.

    Args:
        title: what is being done.
        total: amount of work.
        unit: name of one piece of work, in the plural.
        quiet: report nothing.
    """

    def __init__(self, title: str, total: int, unit: str, quiet: bool = False) -> None:
        self._title, self._total, self._unit = title, total, unit
        console = Console(stderr=True, quiet=quiet)
        self._lines = not quiet and not console.is_terminal
        columns = (BarColumn(), TextColumn("{task.completed}/{task.total}"), _Rate(unit))
        times = (TimeElapsedColumn(), TextColumn("ETA"), TimeRemainingColumn())
        self._bar = Progress(
            TextColumn("{task.description}"), *columns, *times, console=console, disable=quiet or self._lines
        )
        self._task = self._bar.add_task(title, total=total)
        self._done = self._skipped = 0
        self._start = self._last_line = time.monotonic()

    def advance(self, amount: int, skipped: bool = False) -> None:
        """Say that `amount` more is done; `skipped` work was there before and does not count for the rate."""
        self._done += amount
        self._skipped += amount if skipped else 0
        self._bar.advance(self._task, amount)
        now = time.monotonic()
        if self._lines and (now - self._last_line > _SECONDS_BETWEEN_LINES or self._done == self._total):
            self._last_line = now
            log.info(self._line(now - self._start))

    def _line(self, elapsed: float) -> str:
        rate = (self._done - self._skipped) / elapsed if elapsed > 0 else 0.0
        eta = f", ETA {(self._total - self._done) / rate:.0f} s" if rate > 0 and self._done < self._total else ""
        counts = f"{self._title}: {self._done}/{self._total} {self._unit}"
        return f"{counts}, {rate:.1f} {self._unit}/s, {elapsed:.0f} s elapsed{eta}"

    def __enter__(self) -> Self:
        """Start the bar."""
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the bar."""
        self._bar.stop()
