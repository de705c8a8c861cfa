"""Methods in which a student learns from an average of its own past weights (arXiv:1703.01780)."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from jetssl.common.seeds import Stream, torch_seed
from jetssl.config.card import Card
from jetssl.methods.base import Method
from jetssl.methods.compilation import compile_in_place
from jetssl.models.builder import build_encoder
from jetssl.models.normalization import Normalized


class AveragedMethod(Method):
    """The student learns; `encoder`, which makes the targets and is validated and saved, is its average.

    Args:
        card: the whole training card.
        total_steps: optimizer steps of the whole training.
        classes: class names.
        average: decay of the average per step, which rises on a straight line to 1.
    """

    def __init__(self, card: Card, total_steps: int, classes: tuple[str, ...], average: float) -> None:
        super().__init__(card, total_steps, classes)
        self.average = average
        self.student = build_encoder(card, torch_seed(card.training.seed, Stream.WEIGHTS, 0))
        self.encoder.requires_grad_(False)
        if card.training.compile:
            compile_in_place(self.student)

    @property
    def averages(self) -> Sequence[tuple[nn.Module, nn.Module]]:
        """Each average, and what it is an average of."""
        return [(self.encoder, self.student)]

    def on_fit_start(self) -> None:
        """Normalize the input of the student as that of the other one, which has seen the data."""
        if isinstance(self.student, Normalized):
            self.student.adopt(self.encoder)

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Take the step, unless it is left out; then the averages move, before anything is saved."""
        super().optimizer_step(*args, **kwargs)
        if not self.wrong_steps:
            self._move_averages(self.global_step + 1)  # Lightning counts the step when this has returned

    @torch.no_grad()
    def _move_averages(self, step: int) -> None:
        """Of the parameters; buffers are the student's."""
        move = get_ema_multi_avg_fn(average_decay(self.average, step, self.total_steps))  # type: ignore[no-untyped-call]
        for average, source in self.averages:
            move(list(average.parameters()), list(source.parameters()), step)
            for target, buffer in zip(average.buffers(), source.buffers(), strict=True):
                target.copy_(buffer)


def average_decay(first: float, step: int, total_steps: int) -> float:
    """Decay of the average after a step, counted from 1: from `first` on a straight line to 1 after the last one.

    >>> [average_decay(0.996, step, 4) for step in (1, 3, 4)]
    [0.997, 0.999, 1.0]
    """
    return 1 - (1 - first) * (1 - min(step / total_steps, 1))
