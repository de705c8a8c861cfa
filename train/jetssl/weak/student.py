"""A student: one network or two, on frozen jet vectors or with an encoder of its own; how it learns from any labels.

Letters: B jets, D model width, K classes, M networks, R rows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from jetssl.common.devices import device_of, moved
from jetssl.common.seeds import Stream, generator, torch_seed
from jetssl.evaluation.classifier import Headed, Loss, Rates, train
from jetssl.models.encoder import Encoded
from resim.common.arrays import Floats, Floats32, Integers

BATCH_SIZE = 128
HIDDEN = 64
"""Of the perceptron on frozen vectors: wide enough to learn wrong labels by heart."""
CLASSES = 2
"""Background, signal."""
HEAD_RATE = 3e-3
"""Of that perceptron."""

Inputs = Callable[[Integers, np.random.Generator | None], tuple[torch.Tensor, ...]]
"""Rows, and random numbers if they are to be augmented → what a network sees."""


@dataclass(frozen=True, slots=True)
class LabelledJets:
    """Jets and the labels, sure or weak, from which a student learns."""

    rows: Integers
    """int64 `(B,)`"""
    targets: Floats
    """probability of each class, `(B, K)`"""


class Vectors(nn.Module):
    """An encoder whose jets are encoded already."""

    def forward(self, vectors: torch.Tensor) -> Encoded:
        """`(B, D)` → the same as jet vectors."""
        return Encoded(vectors[:, None], vectors)


class Student(Headed):
    """Logits `(B, M, K)` of M networks."""

    def __init__(self, networks: list[tuple[nn.Module, nn.Module]]) -> None:
        super().__init__(*(nn.ModuleList(parts) for parts in zip(*networks, strict=True)))
        self.networks = networks

    def forward(self, *inputs: Any) -> torch.Tensor:
        """What the networks say."""
        return torch.stack([head(encoder(*inputs).jet) for encoder, head in self.networks], 1)


@dataclass(frozen=True, slots=True)
class StudentTrainer:
    """How students are built and trained, and what they see of a jet."""

    network: Callable[[], tuple[nn.Module, nn.Module]]
    """a fresh encoder and head; random numbers are torch's"""
    inputs: Inputs
    rates: Rates
    steps: int

    def fit(
        self, labelled: LabelledJets, held_out: LabelledJets, loss: Loss, networks: int, address: tuple[int, ...]
    ) -> Student:
        """A student that has learned from labelled jets.

        It ends with the weights of the lowest loss on held-out jets, whose labels are as weak.

        Args:
            labelled: jets and labels.
            held_out: others.
            loss: of its logits `(B, M, K)`.
            networks: M.
            address: seed, and whatever tells students with one seed apart.
        """
        seed, *rest = address
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(torch_seed(seed, Stream.STUDENT, *rest))
            student = Student([self.network() for _ in range(networks)])
            batches = self._batches(labelled, generator(seed, Stream.STUDENT, *rest))
            targets = torch.from_numpy(held_out.targets.astype(np.float32))

            def held_out_loss() -> float:
                return float(loss(self._logits(student, held_out.rows), targets, 1.0))

            train(student, batches, self.steps, self.rates, held_out_loss, loss)
        return student

    def probabilities(self, student: Student, rows: Integers) -> Floats:
        """Mean over the networks of what a student says, float64 `(B, K)`."""
        return np.asarray(torch.softmax(self._logits(student, rows).double(), -1).mean(1).numpy())

    @torch.inference_mode()
    def _logits(self, student: Student, rows: Integers) -> torch.Tensor:
        student.eval()
        pieces = np.array_split(rows, -(-len(rows) // (8 * BATCH_SIZE)))
        device = device_of(student)
        return torch.cat([student(*moved(self.inputs(piece, None), device)).cpu() for piece in pieces])

    def _batches(
        self, labelled: LabelledJets, rng: np.random.Generator
    ) -> Iterator[tuple[tuple[torch.Tensor, ...], torch.Tensor]]:
        targets = torch.from_numpy(labelled.targets.astype(np.float32))
        while True:
            order = rng.permutation(len(labelled.rows))
            for part in np.array_split(order, -(-len(order) // BATCH_SIZE)):
                yield self.inputs(labelled.rows[part], rng), targets[part]


def perceptrons(vectors: Floats32, steps: int) -> StudentTrainer:
    """Students with one hidden layer on frozen jet vectors.

    Args:
        vectors: float32 `(R, D)`, of every row that is looked at; standardized over those that are not 0.
        steps: of a training.
    """
    filled = vectors[vectors.any(1)]
    scaled = torch.from_numpy((vectors - filled.mean(0)) / np.maximum(filled.std(0), 1e-6))

    def network() -> tuple[nn.Module, nn.Module]:
        head = nn.Sequential(nn.Linear(vectors.shape[1], HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, CLASSES))
        return Vectors(), head

    return StudentTrainer(network, lambda rows, _: (scaled[torch.from_numpy(rows)],), Rates(0.0, HEAD_RATE), steps)
