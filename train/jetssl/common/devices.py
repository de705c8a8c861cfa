"""The processors of this machine that a training, or an evaluation, runs on: GPUs if there are any, else the CPU."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn

from resim.common.errors import InputError

Choice = Literal["auto", "cpu"] | int | tuple[int, ...]
"""`auto`: all GPUs, or one process on the CPU; `cpu`; how many GPUs, or processes on the CPU; or numbers of GPUs."""


@dataclass(frozen=True, slots=True)
class Devices:
    """One for each process of this machine."""

    kind: Literal["cpu", "cuda"]
    numbers: tuple[int, ...]
    """of the GPUs; of processes on the CPU 0, 1 …"""

    def of(self, rank: int) -> torch.device:
        """The device of the process with this rank on this machine."""
        return torch.device("cpu") if self.kind == "cpu" else torch.device("cuda", self.numbers[rank])

    def shared_by(self, processes: int) -> "Devices":
        """Those of a given number of processes that are running already.

        Raises:
            InputError: fewer GPUs than processes.
        """
        if self.kind == "cuda" and processes > len(self.numbers):
            raise InputError(
                f"{processes} processes on this machine, of whose GPUs torch sees {len(self.numbers)} here; start as"
                " many as GPUs (of Slurm, ask for --gpus-per-node instead of --gpus-per-task), or set"
                " training.devices=cpu"
            )
        numbers = self.numbers[:processes] if self.kind == "cuda" else tuple(range(processes))
        return Devices(self.kind, numbers)


def choose(choice: Choice) -> Devices:
    """The devices that a card asks for.

    >>> choose("cpu")
    Devices(kind='cpu', numbers=(0,))

    Raises:
        InputError: more than there are, or GPUs where torch sees none.
    """
    n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if choice == "cpu" or (choice == "auto" and n_gpus == 0):
        return Devices("cpu", (0,))
    if isinstance(choice, tuple):
        return _of_numbers(choice, n_gpus)
    number = n_gpus if choice == "auto" else choice
    available = n_gpus or os.cpu_count() or 1
    if number > available:
        what = "GPUs" if n_gpus else "processor cores, and no GPU that torch sees"
        raise InputError(f"training.devices: {number}, this machine has {available} {what}; ask for fewer, or auto")
    return Devices("cuda" if n_gpus else "cpu", tuple(range(number)))


def _of_numbers(numbers: tuple[int, ...], n_gpus: int) -> Devices:
    if unknown := [number for number in numbers if number >= n_gpus]:
        seen = f"GPUs 0 to {n_gpus - 1}" if n_gpus else f"no GPU (torch {torch.__version__})"
        raise InputError(f"training.devices: GPU {unknown[0]}, torch sees {seen}; choose among them, or auto")
    return Devices("cuda", numbers)


def own_device() -> torch.device:
    """What this process works on outside of a training: its GPU, if there is one."""
    return torch.device("cuda", torch.cuda.current_device()) if torch.cuda.is_available() else torch.device("cpu")


@contextmanager
def on_own_device(module: nn.Module) -> Iterator[torch.device]:
    """A module of the CPU is on the GPU of this process meanwhile, if there is one; yields where it is."""
    home = device_of(module)
    device = own_device() if home.type == "cpu" else home
    module.to(device)
    try:
        yield device
    finally:
        module.to(home)


@contextmanager
def evaluated(module: nn.Module) -> Iterator[torch.device]:
    """The same, in evaluation mode."""
    training = module.training
    try:
        with on_own_device(module.eval()) as device:
            yield device
    finally:
        module.train(training)


def device_of(module: nn.Module) -> torch.device:
    """Where the weights of a module are; the CPU if it has none."""
    return next((weights.device for weights in module.parameters()), torch.device("cpu"))


def moved(inputs: Iterable[Any], device: torch.device) -> tuple[Any, ...]:
    """Inputs of an encoder, such as a `JetBatch`, on a device."""
    return tuple(None if one is None else one.to(device) for one in inputs)
