"""The log of a training: one line per epoch in `metrics.csv`, and on stderr."""

import sys
import time
from pathlib import Path
from typing import cast

import lightning
from lightning.pytorch.callbacks import RichProgressBar

from jetssl.data.batches import PairBatches
from jetssl.training.epoch_metrics import BLANK, COLUMNS, last_slope, read_metrics
from jetssl.training.memory import peak_memory, restart_peak_memory
from resim.common.atomic_write import write_text


class EpochLog(lightning.Callback):
    """Writes `metrics.csv`, whole after every epoch; a resumed run continues the file where its checkpoint ended.

    Args:
        path: the file.
        jets_per_step: jets that pass through the encoder in a step, on all devices together.
        lines: whether to print a plain line per epoch to stderr.
        quiet: whether to print nothing at all, not even that the loss still falls at the end.
    """

    def __init__(self, path: Path, jets_per_step: int, *, lines: bool, quiet: bool) -> None:
        self.path, self.jets_per_step, self.lines, self.quiet = path, jets_per_step, lines, quiet
        self.rows: list[dict[str, float]] = []
        self.started, self.first_step = 0.0, 0
        self.writes = True

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:  # noqa: ARG002
        """Keep the lines of the epochs that the checkpoint has behind it."""
        self.writes = trainer.is_global_zero
        rows = read_metrics(self.path) if self.path.is_file() else []
        self.rows = [row for row in rows if row["epoch"] <= trainer.current_epoch]
        self._start(trainer)

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:  # noqa: ARG002
        """Start the clock; an epoch that is resumed has started with the training."""
        self._start(trainer)

    def _start(self, trainer: lightning.Trainer) -> None:
        self.started, self.first_step = time.monotonic(), trainer.global_step
        restart_peak_memory()

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:  # noqa: ARG002
        """Add the epoch to the file."""
        if not self.writes:
            return
        seconds = time.monotonic() - self.started
        rate = self.jets_per_step * (trainer.global_step - self.first_step) / seconds
        known = BLANK | {
            "epoch": trainer.current_epoch + 1,
            "step": trainer.global_step,
            "learning_rate": max(group["lr"] for group in trainer.optimizers[0].param_groups),
            "memory": peak_memory() / 1e9,
            "seconds": seconds,
            "jets_per_second": rate,
            "jets_per_second_per_device": rate / trainer.world_size,
            "waiting": _waited(trainer) / seconds,
        }
        known |= {name: float(value) for name, value in trainer.callback_metrics.items() if name in COLUMNS}
        self.rows.append(known)
        lines = [",".join(COLUMNS), *(",".join(f"{row[name]:.8g}" for name in COLUMNS) for row in self.rows)]
        write_text(self.path, "\n".join(lines) + "\n")
        if self.lines:
            self._print(trainer.max_epochs or len(self.rows))

    def on_train_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:  # noqa: ARG002
        """Say so if all epochs are over and the held-out loss was still falling."""
        if not self.writes or self.quiet or len(self.rows) != trainer.max_epochs:
            return
        slope = last_slope([row["validation_loss"] for row in self.rows])
        if slope is not None and slope.falls:
            print(  # noqa: T201
                f"the validation loss still falls at the end: {slope.value:.2g} an epoch over the last"
                f" {slope.epochs} epochs, {slope.share:.0%} of its whole fall; more training.epochs may help",
                file=sys.stderr,
                flush=True,
            )

    def _print(self, epochs: int) -> None:
        row = self.rows[-1]
        left = (epochs - row["epoch"]) * row["seconds"]
        print(  # noqa: T201
            f"epoch {row['epoch']:.0f}/{epochs}  loss {row['loss']:.3f}  validation {row['validation_loss']:.3f}"
            f"  probe {row['probe_auc']:.3f}"
            f"  {row['jets_per_second']:.0f} jets/s  ETA {left:.0f} s",
            file=sys.stderr,
            flush=True,
        )


def _waited(trainer: lightning.Trainer) -> float:
    """Seconds in which the batches of the epoch, training and validation, were waited for."""
    loaders = cast(tuple[PairBatches, PairBatches], (trainer.train_dataloader, trainer.val_dataloaders))
    return sum(loader.waited for loader in loaders)


def progress_bar() -> RichProgressBar:
    """Lightning's bar, on stderr."""
    return RichProgressBar(leave=False, console_kwargs={"stderr": True})
