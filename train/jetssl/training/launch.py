"""One process for each device of this machine, by torch's own launcher, as `torchrun --standalone` does it."""

import logging
import os
import signal
import sys
import uuid
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from torch.distributed.elastic.multiprocessing.api import DefaultLogsSpecs, SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from jetssl.common.team import TIMEOUT
from resim.common.commandline import INTERRUPTED, PREEMPTED

log = logging.getLogger(__name__)

PATIENCE: Final = {"TORCH_ELASTIC_SHUTDOWN_TIMEOUT": "600"}
"""Variable of torch, and seconds instead of its 30: a signal may wait for a whole validation. Slurm has a limit of
its own. Versions of torch that do not know the variable kill processes after 30 s."""


def launch(words: Sequence[str], processes: int) -> int:
    """Run `jetssl WORDS` in several processes that form a team; returns the status of the first that failed, or 0.

    SIGUSR1 is handed on to them; they have 600 s to save and stop, or TORCH_ELASTIC_SHUTDOWN_TIMEOUT seconds. Whoever
    is later is killed: the run goes on from its last checkpoint, whole as every one.
    """
    os.environ |= PATIENCE | os.environ
    before = signal.signal(signal.SIGUSR1, _hand_on)
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)  # the processes say it themselves
    try:
        elastic_launch(_config(processes), sys.executable)("-m", "jetssl", *words)
    except ChildFailedError as error:
        return _status_of(error, processes)
    except SignalException as told:
        return PREEMPTED if told.sigval is signal.SIGUSR1 else INTERRUPTED
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        signal.signal(signal.SIGUSR1, before)
    return 0


def _config(processes: int) -> LaunchConfig:
    """As `torchrun --standalone --nproc-per-node PROCESSES`, with no second try."""
    return LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        run_id=uuid.uuid4().hex,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        monitor_interval=0.1,
        local_addr="127.0.0.1",
        logs_specs=DefaultLogsSpecs(os.devnull),
    )


def _status_of(error: ChildFailedError, processes: int) -> int:
    """Exit status of the process that failed first; says so if a signal ended it, which the process could not."""
    rank, failure = error.get_first_failure()
    if failure.exitcode > 0:
        return int(failure.exitcode)
    waited = -failure.exitcode == signal.SIGABRT  # so NCCL ends a process that has waited too long for another one
    log.error(
        "jetssl: process %d of %d was killed by signal %d, perhaps %s; the same command resumes from the last"
        " checkpoint",
        rank,
        processes,
        -failure.exitcode,
        f"by NCCL's time-out ({TIMEOUT} sets it)" if waited else "for memory",
    )
    return 128 - int(failure.exitcode)


def _hand_on(number: int, _: Any) -> NoReturn:
    """As torch's launcher does with the signals that it knows."""
    raise SignalException(f"signal {number}", signal.Signals(number))
