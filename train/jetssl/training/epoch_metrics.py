"""The table of a training's epochs, `metrics.csv`, and whether its loss has stopped falling."""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from resim.common.errors import InputError, reason_of

COLUMNS = (
    "epoch",
    "step",
    "loss",
    "validation_loss",
    "std",
    "std_min",
    "effective_rank",
    "alignment",
    "uniformity",
    "pair_auc",
    "pair_auc_in_bin",
    "probe_auc",
    "accuracy",
    "invariance",
    "variance",
    "covariance",
    "prediction",
    "sigreg",
    "distillation",
    "koleo",
    "particle",
    "aggregated",
    "regression",
    "pid",
    "predicted_std",
    "predicted_effective_rank",
    "learning_rate",
    "gradient_norm",
    "skipped",
    "memory",
    "seconds",
    "jets_per_second",
    "jets_per_second_per_device",
    "waiting",
)
"""Columns of `metrics.csv`; nan: not logged.

`epoch` counts from 1. `gradient_norm` is that before it was limited, `skipped` the number of steps whose gradient was
not finite. `learning_rate` is the highest if modules have rates of their own. `memory`, in GB, is the most that
tensors took on the GPU of the first process in the epoch; without a GPU, the most that this process ever took.
`seconds`, the rates, and `waiting`, the share of the time in which there was no batch to work on, are those of the
epoch. Of an epoch that was resumed, these and all means over training steps are those of its steps since then."""

BLANK = dict.fromkeys(COLUMNS, math.nan)
"""Values of columns that a file of an older version lacks."""


STILL_FALLING: Final = 0.05
"""Share of the whole fall of a loss that its last quarter may have; 0.03-0.04 where more epochs no longer raised the
probe (docs/results/recipe.md)."""


@dataclass(frozen=True, slots=True)
class Slope:
    """A straight line through the last quarter of the losses, at least 4 of them."""

    value: float
    """per epoch"""
    error: float
    """standard error of `value`, from the scatter about the line"""
    epochs: int
    """in the quarter"""
    share: float
    """fall of the line over the quarter, in units of what the loss lost between the first epoch and its minimum"""

    @property
    def falls(self) -> bool:
        """Whether more epochs would help: a fall that is large, and twice its error."""
        return self.share > STILL_FALLING and self.value < -2 * self.error


def last_slope(losses: Sequence[float]) -> Slope | None:
    """How a loss ends; None where fewer than 8 epochs, or no fall at all, leave nothing to compare with.

    >>> last_slope([10 - epoch for epoch in range(10)]).falls
    True
    >>> last_slope([2 ** -epoch for epoch in range(40)]).falls
    False
    """
    epochs, fallen = max(4, len(losses) // 4), losses[0] - min(losses)
    if len(losses) < 8 or not fallen > 0:
        return None
    (slope, _), covariance = np.polyfit(range(epochs), losses[-epochs:], 1, cov=True)
    return Slope(float(slope), math.sqrt(covariance[0, 0]), epochs, float(-slope * epochs / fallen))


def read_metrics(path: Path) -> list[dict[str, float]]:
    """Lines of a `metrics.csv` as numbers, one at least.

    Raises:
        InputError: unreadable.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [_numbers(row) for row in csv.DictReader(file, strict=True)]
    except (OSError, ValueError, TypeError, csv.Error) as error:
        remedy = "put the right file there, or train again with --force"
        raise InputError(f"{path}: unreadable ({reason_of(error)}); {remedy}") from error
    if not rows:
        raise InputError(f"{path}: holds no epoch; put the right file there, or train again with --force")
    return rows


def _numbers(row: Mapping[str, str]) -> dict[str, float]:
    if unknown := [name for name in row if name not in COLUMNS]:
        raise ValueError(f"column {unknown[0]!r} is unknown, or a line is too long")
    return BLANK | {name: float(value) for name, value in row.items()}
