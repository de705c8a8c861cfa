"""How a training is saved within an epoch, and how it ends before its last one: by a signal, or early stopping."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import EarlyStopping
from torch import distributed

from jetssl.common.collectives import n_processes
from jetssl.config.training import TrainingCard
from resim.common.commandline import END_OF_JOB

_NOTHING, _SAVE, _STOP, _PREEMPTED = range(4)
"""What a process may want after a batch; each is more than the one before, and to stop is to save."""


class SaveAndStop(lightning.Callback):
    """Saves within epochs when it is time to; a signal ends all processes after the same batch, which is saved, too.

    A terminal sends Ctrl-C to every process, each at another point of its work; one that left at once would leave the
    others waiting for it in a collective operation. So a signal is only noted, and the processes ask each other
    after every batch. What comes later, as from torchrun, which repeats the signal, changes nothing any more; but a
    lone process leaves at once at the second Ctrl-C.

    The last batch of an epoch is not saved: validation follows, then the checkpoint of the epoch, and a signal that
    came meanwhile ends the training there.

    Args:
        path: the checkpoint to write.
        card: the section `training`, which says how often.

    Attributes:
        signal: the signal that was noted; None: none.
        preempted: whether SIGUSR1 has ended the training, in whichever process it was noted.
    """

    def __init__(self, path: Path, card: TrainingCard) -> None:
        self.path, self.steps = path, card.checkpoint_steps
        self.seconds = None if card.checkpoint_minutes is None else 60 * card.checkpoint_minutes
        self.signal: int | None = None
        self.preempted = False
        self.parent = os.getppid()
        self.saved = time.monotonic()

    def on_fit_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:  # noqa: ARG002
        """Note signals from now on."""
        self._listen()

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:  # noqa: ARG002
        """Again: Lightning has a handler of its own for SIGTERM, which ends the training in the validation."""
        self._listen()

    def _listen(self) -> None:
        for number in (signal.SIGINT, *END_OF_JOB):
            signal.signal(number, self._note)

    def _note(self, number: int, *_: Any) -> None:
        if number == self.signal == signal.SIGINT and n_processes() == 1:
            raise KeyboardInterrupt
        self.signal = self.signal or number

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Save if it is time to; stop if any process has been told to, or has lost the one that started it."""
        if trainer.is_last_batch:
            return
        wanted = self._wanted_by_any(_SAVE if self._is_time(trainer.global_step) else _NOTHING)
        if wanted >= _SAVE:
            trainer.save_checkpoint(self.path)
            self.saved = time.monotonic()
        if wanted >= _STOP:
            raise KeyboardInterrupt

    def on_train_epoch_start(self, *_: Any) -> None:
        """Stop if a signal came since the last batch: the epoch before has been saved."""
        if self._wanted_by_any(_NOTHING) >= _STOP:
            raise KeyboardInterrupt
        self.saved = time.monotonic()

    def _wanted_by_any(self, otherwise: int) -> int:
        """The most that any process wants; `otherwise` if this one has no reason to stop."""
        # The lock of the run went with who started these; a lone process holds it itself, and outlives its shell.
        orphan = n_processes() > 1 and os.getppid() != self.parent
        reason = _PREEMPTED if self.signal == signal.SIGUSR1 else _STOP if self.signal or orphan else otherwise
        wanted = _largest(reason)
        self.preempted = wanted == _PREEMPTED
        return wanted

    def _is_time(self, step: int) -> bool:
        waited_enough = self.seconds is not None and time.monotonic() - self.saved >= self.seconds
        return waited_enough or (self.steps is not None and step % self.steps == 0)


def _largest(number: int) -> int:
    """The largest number that any of the processes has."""
    if n_processes() == 1:
        return number
    largest = torch.tensor(number)
    distributed.all_reduce(largest, distributed.ReduceOp.MAX)
    return int(largest)


class Patience(EarlyStopping):
    """Lightning's callback; a run that it had stopped is not trained on when it is resumed."""

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:  # noqa: ARG002
        """Stop again if the checkpoint says that it was time to."""
        trainer.should_stop = self.wait_count >= self.patience
