"""Processes that train together, as torchrun starts them."""

import os

import torch


def team_variables(rank: int, port: int) -> dict[str, str]:
    """The variables that torchrun sets for one of two processes."""
    settings = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2, "GROUP_RANK": 0}
    settings |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "TORCHELASTIC_RUN_ID": "test"}
    return {name: str(value) for name, value in settings.items()}


def join(rank: int, port: int) -> None:
    """Make this process one of the two."""
    os.environ.update(team_variables(rank, port))
    torch.set_num_threads(1)
