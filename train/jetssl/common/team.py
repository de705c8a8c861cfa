"""The processes that train together: those that `torchrun` or Slurm's `srun` started, else this one alone."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

import torch
from torch import distributed
from torch.distributed import distributed_c10d

from resim.common.commandline import INTERRUPTED
from resim.common.errors import InputError, reason_of

T = TypeVar("T")


FIRST_PORT: Final = 15_000
PORTS: Final = 10_000
"""Tasks of Slurm find each other at one of these, by the number of their job, unless MASTER_PORT names another."""


TIMEOUT: Final = "JETSSL_TIMEOUT"
"""Variable with the seconds for which processes wait for each other."""
_PATIENCE: Final = 1800
"""Seconds without it: torch's default for gloo; for NCCL it is 600, too little where one process opens many files."""


@dataclass(frozen=True, slots=True)
class Team:
    """Where this process stands among those that train together."""

    rank: int = 0
    size: int = 1
    on_this_machine: int = 1
    """how many of them run here"""

    @property
    def leads(self) -> bool:
        """Whether this process is the one that writes and speaks."""
        return self.rank == 0

    def once(self, action: Callable[[], T]) -> T:
        """Run `action` in the leading process only, and return its result in every process.

        Raises:
            InputError: in every process, if the leading one raised it.
        """
        if self.size == 1:
            return action()
        result: list[T | InputError | None] = [None]
        if self.leads:
            try:
                result = [action()]
            except InputError as error:
                result = [error]
        distributed.broadcast_object_list(result, src=0)
        if isinstance(result[0], InputError):
            raise result[0]
        return result[0]  # type: ignore[return-value]


ALONE: Final = Team()
"""One process."""


def present_team() -> Team:
    """The team as the environment variables of `torchrun`, or of a step of Slurm, describe it."""
    if not distributed.is_available():
        return ALONE
    if distributed.is_torchelastic_launched():
        rank, size, here = (int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"))
        return Team(rank, size, here)
    return _slurm_step()


def _slurm_step() -> Team:
    """The tasks of a `srun`; the variables of `torchrun` are set for this process.

    Raises:
        InputError: the nodes hold different numbers of tasks.
    """
    told = {name: value for name, value in os.environ.items() if name.startswith("SLURM_")}
    size = int(told.get("SLURM_STEP_NUM_TASKS", "1"))
    if size == 1 or "SLURM_PROCID" not in told:
        return ALONE
    # Heavy, and only wanted here.
    from lightning.fabric.plugins.environments.slurm import SLURMEnvironment

    nodes, rank = int(told["SLURM_STEP_NUM_NODES"]), int(told["SLURM_PROCID"])
    if size % nodes:
        tasks = told.get("SLURM_STEP_TASKS_PER_NODE", "?")
        raise InputError(f"srun started {tasks} tasks on {nodes} nodes; want as many on each: set --ntasks-per-node")
    port = FIRST_PORT + (int(told["SLURM_JOB_ID"]) + int(told.get("SLURM_STEP_ID", "0"))) % PORTS
    variables = {"RANK": rank, "WORLD_SIZE": size, "LOCAL_RANK": told["SLURM_LOCALID"]}
    variables |= {"GROUP_RANK": told["SLURM_NODEID"], "LOCAL_WORLD_SIZE": size // nodes}
    variables["MASTER_ADDR"] = SLURMEnvironment.resolve_root_node_address(told["SLURM_STEP_NODELIST"])
    variables["MASTER_PORT"] = os.environ.get("MASTER_PORT", port)
    os.environ |= {name: str(value) for name, value in variables.items()}
    return Team(rank, size, size // nodes)


def backend() -> str:
    """What exchanges tensors: gloo those of the CPU, NCCL those of GPUs."""
    return "cpu:gloo,cuda:nccl" if torch.cuda.is_available() and distributed.is_nccl_available() else "gloo"


def _seconds() -> float:
    """How long processes wait for each other.

    Raises:
        InputError: the variable holds something else.
    """
    told = os.environ.get(TIMEOUT, str(_PATIENCE))
    try:
        seconds = float(told)
    except ValueError:
        seconds = 0
    if not 0 < seconds < float("inf"):
        raise InputError(f"the variable {TIMEOUT} is {told[:40]!r}, want seconds, as {_PATIENCE}")
    return seconds


@contextmanager
def connected() -> Iterator[Team]:
    """The team, able to exchange tensors inside the block."""
    team = present_team()
    ours = team.size > 1 and not distributed.is_initialized()
    if ours:
        distributed.init_process_group(backend(), timeout=timedelta(seconds=_seconds()))
    try:
        yield team
    finally:
        if ours and distributed.is_initialized():
            distributed.destroy_process_group()


@contextmanager
def one_voice() -> Iterator[Team]:
    """The team, connected; only the first process that fails says why, the others leave with the same exit status.

    It may be any of them: a loss may be infinite in one process only, and the others see only that it has ended.
    """
    with connected() as team:
        try:
            yield team
        except (InputError, KeyboardInterrupt) as error:
            if team.size == 1 or _first_to_fail():
                raise
            raise SystemExit(1 if isinstance(error, InputError) else INTERRUPTED) from None


def _first_to_fail() -> bool:
    """Whether no other process has called this before; the store of torchrun outlives every one of them."""
    try:
        return bool(distributed_c10d._get_default_store().add("jetssl failures", 1) == 1)
    except RuntimeError:  # the store went with the process that kept it
        return True


@contextmanager
def partners_may_go(team: Team, run: Path) -> Iterator[None]:
    """Say so if a collective operation fails because another process is no longer there.

    Raises:
        InputError: another process has ended.
    """
    try:
        yield
    except RuntimeError as error:
        # Gloo has no error of its own; it starts its messages with a line of its source. NCCL's is a `DistError`.
        if team.size == 1 or not (isinstance(error, distributed.DistError) or "gloo" in str(error)):
            raise
        what = f"another of the {team.size} processes has ended, or cannot be reached ({reason_of(error)})"
        if "timed out" in str(error).lower():
            what = (
                f"process {team.rank} of {team.size} has waited {_seconds():g} s for another one; if that is alive"
                f" and slow, set the variable {TIMEOUT} to more"
            )
        raise InputError(f"{run}: {what}; the same command resumes from the last checkpoint") from error
