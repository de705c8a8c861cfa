"""Processes that train together, as torchrun starts them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import distributed


def team_variables(rank: int, port: int) -> dict[str, str]:
    """The variables that torchrun sets for one of two processes."""
    settings = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2, "GROUP_RANK": 0}
    settings |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "TORCHELASTIC_RUN_ID": "test"}
    return {name: str(value) for name, value in settings.items()}


def join(rank: int, port: int) -> None:
    """Make this process one of the two."""
    os.environ.update(team_variables(rank, port))
    torch.set_num_threads(1)


@contextmanager
def gloo(**settings: Any) -> Iterator[None]:
    """This process as a member of a group of gloo; the process ends with the block.

    It ends without Python's own clean-up: a thread of gloo may still hold the last tensor then, and the process aborts
    when that thread asks for the interpreter's lock (https://github.com/pytorch/pytorch/pull/179291).
    """
    distributed.init_process_group("gloo", **settings)
    yield
    distributed.destroy_process_group()
    os._exit(0)
