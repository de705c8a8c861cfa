"""Make chunks in this process, in worker processes, or on a Dask cluster; the arrays are the same."""

import logging
import socket
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from importlib import import_module
from itertools import islice
from threading import Lock
from typing import Any, Final

from resim.card.run_options import RunOptions
from resim.common.errors import InputError
from resim.common.versions import identifying_versions
from resim.run.chunks import Chunk, ChunkResult, Plan
from resim.run.processes import CHUNKS_IN_FLIGHT_PER_WORKER, make_in_processes, process

log = logging.getLogger(__name__)

_SECONDS_TO_CONNECT: Final = 60
_SECONDS_BETWEEN_LOOKS: Final = 5
"""How often to look for lost workers while no chunk is finished."""

Results = Iterator[tuple[Chunk, ChunkResult]]


def make(plan: Plan, todo: Iterator[Chunk], options: RunOptions) -> Results:
    """Make chunks, a bounded number at a time, in the order of completion.

    Raises:
        InputError: bad input, a worker that died, or a scheduler that cannot be reached.
    """
    if options.scheduler is not None:
        yield from _on_dask(plan, todo, options.scheduler)
    elif options.workers > 1:
        yield from make_in_processes(plan, todo, options.workers)
    else:
        yield from ((chunk, process(plan, chunk)) for chunk in todo)


def _on_dask(plan: Plan, todo: Iterator[Chunk], address: str) -> Results:
    """Make chunks as Dask tasks; if a worker is lost, Dask makes its tasks again on another one."""
    distributed, wanted = _dask(), identifying_versions()
    with _dask_client(address) as client:
        workers = _Workers(address)
        pending: dict[Any, Chunk] = {}
        try:
            while True:
                n_in_flight = max(workers.update(client.nthreads()), 1) * CHUNKS_IN_FLIGHT_PER_WORKER
                for chunk in islice(todo, max(n_in_flight - len(pending), 0)):
                    pending[client.submit(_process_alone, plan, chunk, wanted, pure=False)] = chunk
                if not pending:
                    return
                with suppress(TimeoutError):
                    distributed.wait(list(pending), _SECONDS_BETWEEN_LOOKS, return_when="FIRST_COMPLETED")
                for future in [future for future in pending if future.done()]:
                    yield pending.pop(future), future.result()
        except (distributed.KilledWorker, CancelledError) as error:
            raise InputError(
                f"{address}: the cluster lost a chunk ({error}); finished chunks are kept: look at the workers' logs,"
                " run again with --resume"
            ) from error
        finally:
            client.cancel(list(pending))


class _Workers:
    """The workers of a scheduler as last seen; says which are lost, and that none is left."""

    def __init__(self, scheduler: str) -> None:
        self._scheduler = scheduler
        self._present: set[str] = set()
        self._waiting = False

    def update(self, present: Iterable[str]) -> int:
        """Number of workers, given the addresses of all."""
        lost, self._present = self._present - set(present), set(present)
        for address in sorted(lost):
            log.warning("worker %s is lost: its unfinished chunks are made again by another one", address)
        if not self._present and not self._waiting:
            log.warning("%s: has no worker; waiting until one comes (`dask worker %s`)", *[self._scheduler] * 2)
        self._waiting = not self._present
        return len(self._present)


_ONE_AT_A_TIME = Lock()


def _process_alone(plan: Plan, chunk: Chunk, wanted: dict[str, str]) -> ChunkResult:
    """`process`, one chunk at a time even if a worker has several threads, as these share the process's Pythia.

    Raises:
        InputError: the worker has other versions than the run.
    """
    here = identifying_versions()
    if here != wanted:
        differing = {name: (wanted.get(name), here.get(name)) for name in wanted.keys() | here.keys()}
        named = ", ".join(
            f"{name} {theirs} instead of {ours}" for name, (ours, theirs) in differing.items() if ours != theirs
        )
        raise InputError(f"{socket.gethostname()}: the Dask worker has {named}; install the same versions everywhere")
    with _ONE_AT_A_TIME:
        return process(plan, chunk)


def _dask() -> Any:
    try:
        return import_module("distributed")
    except ModuleNotFoundError as error:
        raise InputError("--scheduler: Dask is not installed; pip install 'resim-jets[cluster]'") from error


def _dask_client(address: str) -> Any:
    with suppress(OSError, ValueError):
        return _dask().Client(address, timeout=_SECONDS_TO_CONNECT)
    raise InputError(
        f"--scheduler {address}: no Dask scheduler answers there; start one (`dask scheduler`) or correct the address"
    )
