"""Ways to learn from weak labels by the names that cards and records use.

Letters: B jets, K classes.
"""

from dataclasses import dataclass

import torch

from jetssl.config.weak import NoisyMethod
from jetssl.evaluation.classifier import Loss
from jetssl.weak.co_teaching import co_teaching
from jetssl.weak.cross_entropy import cross_entropy
from jetssl.weak.forward_correction import estimated_transition, forward_corrected
from jetssl.weak.generalized_cross_entropy import generalized_cross_entropy
from jetssl.weak.label_noise import Matrix
from jetssl.weak.label_proportions import proportion_loss
from jetssl.weak.student import LabelledJets, Student, StudentTrainer


@dataclass(frozen=True, slots=True)
class Training:
    """Training of a student on labelled jets, and of a second one for the methods that need two."""

    trainer: StudentTrainer
    labelled: LabelledJets
    held_out: LabelledJets
    address: tuple[int, ...]
    """seed, and what tells students with one seed apart"""

    def with_loss(self, loss: Loss, networks: int = 1) -> Student:
        """A student that has learned with a loss."""
        return self.trainer.fit(self.labelled, self.held_out, loss, networks, self.address)

    def noisy(self, method: NoisyMethod, transition: Matrix) -> Student:
        """A student that has learned in spite of noise.

        Args:
            method: how; `forward` is told the transition matrix.
            transition: of the labels; `co_teaching` takes only the share of wrong labels from it,
                `forward_estimated`, `gce` and `plain` do not look at it.

        Raises:
            InputError: an estimated matrix that is none.
        """
        if method == "plain":
            return self.with_loss(plain)
        if method == "gce":
            return self.with_loss(lambda logits, targets, _: generalized_cross_entropy(logits[:, 0], targets).mean())
        if method == "co_teaching":
            noise = float(1 - transition.diagonal() @ self.labelled.targets.mean(0))
            return self.with_loss(lambda logits, targets, done: co_teaching(logits, targets, noise, done), 2)
        if method == "forward_estimated":
            probabilities = self.trainer.probabilities(self.with_loss(plain), self.labelled.rows)
            transition = estimated_transition(probabilities)
        return self.with_loss(_forward(transition))


def plain(logits: torch.Tensor, targets: torch.Tensor, progress: float) -> torch.Tensor:  # noqa: ARG001
    """Mean cross-entropy of the only network, from logits `(B, 1, K)` and labels `(B, K)`."""
    return cross_entropy(logits[:, 0], targets).mean()


def from_proportions(logits: torch.Tensor, targets: torch.Tensor, progress: float) -> torch.Tensor:  # noqa: ARG001
    """Loss of the label proportions, from logits `(B, 1, K)` and the fractions of each jet's sample `(B, K)`."""
    return proportion_loss(logits[:, 0], targets)


def _forward(transition: Matrix) -> Loss:
    matrix = torch.from_numpy(transition).float()
    return lambda logits, targets, _: forward_corrected(logits[:, 0], targets, matrix.to(logits.device)).mean()
