"""Make the steps of a study, each once: in order, or side by side where each leaves cores free."""

import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import redirect_stderr
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from jetssl.common.threads import torch_threads
from jetssl.evaluation.results import write_records
from resim.common.atomic_write import write_text
from resim.common.errors import InputError

log = logging.getLogger(__name__)
STEPS_FILE = "steps.json"


@dataclass(frozen=True, slots=True)
class Step:
    """One piece of work; can be pickled."""

    title: str
    stage: str
    """steps of one stage do not need each other"""
    folder: Path
    done: Callable[[], bool]
    make: Callable[[], object]
    alone: bool = False
    """whether it takes all cores by itself"""


class StepRecord(BaseModel):
    """A step that is done."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    folder: str
    """below that of the study"""
    seconds: float
    """wall time of the call that finished it"""
    load: float
    """mean number of processes that wanted a core meanwhile (1 minute, at its end)"""


_STEPS = TypeAdapter(list[StepRecord])


def make_steps(steps: Sequence[Step], folder: Path, jobs: int) -> list[StepRecord]:
    """Make those that are missing; `steps.json` is written after each.

    Args:
        steps: in order; those that come later need those of earlier stages.
        folder: of the study.
        jobs: processes, at most. What is made does not depend on it.

    Returns:
        A record of each.

    Raises:
        InputError: what a step raised, or its process was killed.
        KeyboardInterrupt: Ctrl-C or SIGTERM; what is finished is kept, and trainings have saved themselves.
    """
    known = _read_steps(folder)
    names = {step.title: str(step.folder.resolve().relative_to(folder.resolve())) for step in steps}
    missing = [step for step in steps if not step.done() or names[step.title] not in known]
    eta = _Eta(missing, jobs)
    for (_, alone), stage in groupby(missing, lambda step: (step.stage, step.alone)):
        todo = list(stage)
        at_once = 1 if alone else min(jobs, len(todo))
        for step, seconds in _one_by_one(todo) if at_once == 1 else _side_by_side(todo, at_once):
            load = round(os.getloadavg()[0], 1)
            name = names[step.title]
            known[name] = StepRecord(title=step.title, folder=name, seconds=round(seconds, 1), load=load)
            write_records(folder / STEPS_FILE, list(known.values()))
            log.info("study: %s took %.0f s%s", step.title, seconds, eta.after(step, seconds))
    return [known[names[step.title]] for step in steps]


def _one_by_one(steps: Iterable[Step]) -> Iterator[tuple[Step, float]]:
    for step in steps:
        log.info("study: %s", step.title)
        yield step, _make(step)


def _side_by_side(steps: Sequence[Step], jobs: int) -> Iterator[tuple[Step, float]]:
    log.info("study: %d steps, %d at a time; log beside each folder: %s", len(steps), jobs, _log_file(steps[0]))
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _ignore_interrupt) as pool:
        try:
            yield from _as_workers_are_free(pool, steps, jobs)
        except BrokenProcessPool as error:
            raise InputError(
                "a process of the study was killed, perhaps for memory; what is finished is kept: make room, or give"
                " -j 1, and run the same command again"
            ) from error
        except BaseException:
            _end()
            raise


def _as_workers_are_free(pool: ProcessPoolExecutor, steps: Sequence[Step], jobs: int) -> Iterator[tuple[Step, float]]:
    """A pool begins what waits in its queue even when it is to end, so nothing waits there."""
    left = iter(steps)

    def begin(count: int) -> dict[Future[float], Step]:
        return {pool.submit(_make_in_worker, step): step for step in islice(left, count)}

    running = begin(jobs)
    while running:
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            step, seconds = running.pop(future), future.result()
            running |= begin(1)
            yield step, seconds


def _end() -> None:
    """What runs saves itself: a training ends at SIGTERM with a checkpoint."""
    for process in multiprocessing.active_children():
        if process.pid is not None:
            os.kill(process.pid, signal.SIGTERM)


def _ignore_interrupt() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the parent decides


def _log_file(step: Step) -> Path:
    return step.folder.with_name(f"{step.folder.name}.log")


def _make_in_worker(step: Step) -> float:
    """With what it has to say in a file: lines of several steps at once would be read by nobody."""
    _log_file(step).parent.mkdir(parents=True, exist_ok=True)
    with _log_file(step).open("a", encoding="utf-8") as lines, redirect_stderr(lines), torch_threads(1):
        logging.basicConfig(stream=lines, format="%(message)s", level=logging.INFO, force=True)
        return _make(step)


def _make(step: Step) -> float:
    start = time.monotonic()
    if not step.done():
        step.make()
    return time.monotonic() - start


class _Eta:
    """Time to go: what is left takes as long as what was made of its stage, or of all stages."""

    def __init__(self, steps: Iterable[Step], jobs: int) -> None:
        self._left = list(steps)
        self._jobs = jobs
        self._took: dict[str, list[float]] = {}

    def after(self, step: Step, seconds: float) -> str:
        """What to say once a step is made."""
        self._left.remove(step)
        self._took.setdefault(step.stage, []).append(seconds)
        to_go = sum(self._expected(one) / (1 if one.alone else self._jobs) for one in self._left)
        return f"; {len(self._left)} steps left, about {to_go:.0f} s" if self._left else ""

    def _expected(self, step: Step) -> float:
        took = self._took.get(step.stage) or [seconds for some in self._took.values() for seconds in some]
        return sum(took) / len(took)


def _read_steps(folder: Path) -> dict[str, StepRecord]:
    file = folder / STEPS_FILE
    if not file.exists():
        write_text(file, "[]\n")
    try:
        return {step.folder: step for step in _STEPS.validate_json(file.read_bytes())}
    except ValueError as error:
        raise InputError(f"{file}: unreadable; delete it, what is finished is found again") from error
