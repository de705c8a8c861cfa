"""Fits side by side, one process a core, or one a GPU; their numbers do not depend on how many."""

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.queues import SimpleQueue

import torch

from jetssl.common.devices import choose
from jetssl.common.threads import torch_threads
from jetssl.evaluation.fits import Bench, Fit
from resim.common.errors import InputError
from resim.common.progress import ProgressReport


def run_fits(
    make_bench: Callable[[], Bench], bench: Bench, fits: Sequence[Fit], jobs: int, progress: ProgressReport
) -> None:
    """Make fits.

    Args:
        make_bench: makes the bench again in a process of its own; can be pickled.
        bench: what it makes.
        fits: what is missing.
        jobs: processes, at most.
        progress: told of every finished fit.

    Raises:
        InputError: what a fit raised, or a process was killed.
    """
    devices = choose("auto")
    jobs = min(jobs, len(fits), *([len(devices.numbers)] if devices.kind == "cuda" else []))
    if jobs <= 1:
        with torch_threads(1):  # as in a process of its own, so the numbers are the same
            for fit in fits:
                bench.fit(fit)
                progress.advance(1)
        return
    context = multiprocessing.get_context("spawn")
    gpus = context.SimpleQueue()
    for number in devices.numbers if devices.kind == "cuda" else ():
        gpus.put(number)
    with ProcessPoolExecutor(jobs, context, _start_worker, (make_bench, gpus)) as pool:
        try:
            for done in as_completed([pool.submit(_fit_in_worker, fit) for fit in fits]):
                done.result()
                progress.advance(1)
        except BrokenProcessPool as error:
            raise InputError(
                f"{bench.output}: a process that fits was killed, perhaps for memory; finished fits are kept: make"
                " room and run the same command again"
            ) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


_bench_of_worker: list[Bench] = []


def _start_worker(make_bench: Callable[[], Bench], gpus: "SimpleQueue[int]") -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    if torch.cuda.is_available():
        torch.cuda.set_device(gpus.get())
    torch.set_num_threads(1)
    _bench_of_worker.append(make_bench())


def _fit_in_worker(fit: Fit) -> None:
    _bench_of_worker[0].fit(fit)
