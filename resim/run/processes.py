"""Make chunks in worker processes that may be killed at any moment.

Who reads from a pipe waits for ever if the writer was killed in the middle of a message. So chunks and results, which
are large, travel as files, and the pipes of the pool carry their paths only: up to `PIPE_BUF` bytes (512 at least,
POSIX) are written whole or not at all.
"""

import os
import pickle
import shutil
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import active_children, connection, parent_process
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any, Final

from resim.common.atomic_write import not_written
from resim.common.errors import InputError
from resim.run.chunks import Chunk, ChunkResult, Plan
from resim.run.workers import worker_context

CHUNKS_IN_FLIGHT_PER_WORKER: Final = 3
"""Chunks submitted and not yet returned: enough to keep workers busy, few enough to bound the memory."""
_ADVICE: Final = "make room there, or set TMPDIR, and run again with --resume"
_plan_of_worker: list[Plan] = []
"""In a worker: of its run. The pool has no other place for what all its tasks need."""


def process(plan: Plan, chunk: Chunk) -> ChunkResult:
    """Simulate a chunk in this process. Imported here: a parent with workers starts 2 s earlier."""
    from resim.run.process_chunk import process as simulate

    return simulate(plan, chunk)


def make_in_processes(plan: Plan, todo: Iterator[Chunk], workers: int) -> Iterator[tuple[Chunk, ChunkResult]]:
    """Make chunks, in the order of completion.

    Raises:
        InputError: bad input, a worker that died, or no room for temporary files.
    """
    others = set(active_children())
    with TemporaryDirectory(prefix="resim-chunks-") as folder, _pool(plan, Path(folder), workers) as pool:
        try:
            yield from _as_completed(pool, Path(folder), todo, workers * CHUNKS_IN_FLIGHT_PER_WORKER)
        except BrokenProcessPool as error:
            raise InputError(
                "a worker process died (killed, or out of memory); finished chunks are kept: run again with --resume,"
                " with a smaller --workers or --chunk-size if memory was short"
            ) from error
        finally:  # all is done, or the run has failed
            for process_ in set(active_children()) - others:
                process_.terminate()


def _pool(plan: Plan, folder: Path, workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        workers, mp_context=worker_context(), initializer=_start_worker, initargs=(plan, folder)
    )


def _as_completed(
    pool: ProcessPoolExecutor, folder: Path, todo: Iterator[Chunk], n_in_flight: int
) -> Iterator[tuple[Chunk, ChunkResult]]:
    pending: dict[Future[Path], Chunk] = {}
    while True:
        for chunk in islice(todo, n_in_flight - len(pending)):
            path = folder / f"{chunk.number}.chunk"
            _write(path, chunk)
            pending[pool.submit(process_file, process, path)] = chunk
        if not pending:
            return
        for future in wait(pending, return_when=FIRST_COMPLETED).done:
            yield pending.pop(future), _take(future.result())


def process_file(simulate: Callable[[Plan, Chunk], ChunkResult], path: Path) -> Path:
    """In a worker: simulate the chunk that a file holds.

    Returns:
        The file that holds the result.
    """
    result = path.with_suffix(".result")
    _write(result, simulate(_plan_of_worker[0], _take(path)))
    return result


def _write(path: Path, content: Chunk | ChunkResult) -> None:
    try:
        path.write_bytes(pickle.dumps(content))
    except OSError as error:
        raise not_written(path, error, _ADVICE) from error


def _take(path: Path) -> Any:
    """What a file of this run holds; nobody reads it again."""
    content = pickle.loads(path.read_bytes())  # noqa: S301 - in a folder that only this user can write
    path.unlink()
    return content


def _start_worker(plan: Plan, folder: Path) -> None:
    """In a worker: ignore Ctrl-C, which the parent handles, and end with the parent, even if that is killed."""
    _plan_of_worker.append(plan)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        Thread(target=_end_after, args=[parent.sentinel, folder], daemon=True).start()


def _end_after(sentinel: int, folder: Path) -> None:
    connection.wait([sentinel])
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)
