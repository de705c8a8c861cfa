"""How a training ends before its last epoch: Ctrl-C in all processes at once, or early stopping."""

import os
import signal
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import EarlyStopping
from torch import distributed

from resim.common.commandline import END_OF_JOB


class StopTogether(lightning.Callback):
    """Ctrl-C (SIGINT) and the signals at the end of a job end all processes after the same batch.

    A terminal sends Ctrl-C to every process, each at another point of its work; one that left at once would leave the
    others waiting for it in a collective operation. So a signal is only noted, and the processes ask each other
    after every batch. What comes later, as from torchrun, which repeats the signal, changes nothing any more.
    """

    def __init__(self) -> None:
        self.wanted = False
        self.parent = os.getppid()

    def on_fit_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:  # noqa: ARG002
        """Note signals from now on."""
        for number in (signal.SIGINT, *END_OF_JOB):
            signal.signal(number, self._note)

    def _note(self, *_: Any) -> None:
        self.wanted = True

    def on_train_batch_end(self, *_: Any) -> None:
        """Stop if any process has been told to, or has lost the one that started it, and with it the lock."""
        self._agree()

    def on_validation_batch_end(self, *_: Any) -> None:
        """Stop if any process has been told to."""
        self._agree()

    def _agree(self) -> None:
        wanted = torch.tensor(float(self.wanted or os.getppid() != self.parent))
        distributed.all_reduce(wanted, distributed.ReduceOp.MAX)
        if wanted:
            raise KeyboardInterrupt


class Patience(EarlyStopping):
    """Lightning's callback; a run that it had stopped is not trained on when it is resumed."""

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:  # noqa: ARG002
        """Stop again if the checkpoint says that it was time to."""
        trainer.should_stop = self.wait_count >= self.patience
