"""A teacher labels jets of another domain, and students learn from its labels.

Letters: B jets, K classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jetssl.config.weak import StudentMethod
from jetssl.weak.label_noise import Matrix, checked
from jetssl.weak.methods import Training, plain
from jetssl.weak.pseudo_labels import confident, hard_labels
from jetssl.weak.student import CLASSES, LabelledJets, Student, StudentTrainer
from resim.common.arrays import Floats, Integers


@dataclass(frozen=True, slots=True)
class TeacherStudent:
    """What teacher and students learn from; rows of both domains are those of one table."""

    trainer: StudentTrainer
    labelled: LabelledJets
    """labelled simulation"""
    held_out: LabelledJets
    """more of it"""
    unlabelled: Integers
    """rows of data"""
    unlabelled_held_out: Integers
    """more of them"""

    def teacher(self, address: tuple[int, ...]) -> Student:
        """Learns in the simulation."""
        return Training(self.trainer, self.labelled, self.held_out, address).with_loss(plain)

    def student(
        self, method: StudentMethod, teacher: Student, transition: Matrix, address: tuple[int, ...]
    ) -> Student:
        """Learns from what the teacher says of data, and from nothing else.

        Args:
            method: how.
            teacher: who labels.
            transition: of its hard labels.
            address: seed, and what tells students with one seed apart.

        Raises:
            InputError: the training fails.
        """
        training = Training(self.trainer, *self._pseudo_labelled(method, teacher), address)
        if method in ("gce", "forward", "co_teaching"):
            return training.noisy(method, transition)
        return training.with_loss(plain)

    def self_trained(self, teacher: Student, rounds: int, address: tuple[int, ...]) -> Student:
        """Every round, a fresh student learns from the labels of which the one before it is sure."""
        for number in range(rounds):
            labelled = self._pseudo_labelled("confident", teacher)
            teacher = Training(self.trainer, *labelled, (*address, number)).with_loss(plain)
        return teacher

    def _pseudo_labelled(self, method: StudentMethod, teacher: Student) -> tuple[LabelledJets, LabelledJets]:
        first, second = (
            _labelled(method, rows, self.trainer.probabilities(teacher, rows))
            for rows in (self.unlabelled, self.unlabelled_held_out)
        )
        return first, second


def _labelled(method: StudentMethod, rows: Integers, probabilities: Floats) -> LabelledJets:
    if method == "soft":
        return LabelledJets(rows, probabilities)
    if method == "confident":
        chosen = confident(probabilities)
        return LabelledJets(rows[chosen], hard_labels(probabilities[chosen]))
    return LabelledJets(rows, hard_labels(probabilities))


def one_hot(rows: Integers, classes: npt.NDArray[np.bool_] | Integers) -> LabelledJets:
    """Jets with labels that are sure.

    Args:
        rows: `(B,)`.
        classes: of these rows, 0 or False for background.
    """
    return LabelledJets(rows, np.eye(CLASSES)[np.asarray(classes, np.int64)])


def confusion(probabilities: Floats, classes: Sequence[int] | npt.NDArray[np.bool_]) -> Matrix:
    """How often a teacher gives a label to jets of a class: its transition matrix, `(K, K)`.

    Args:
        probabilities: of each class, `(B, K)`.
        classes: of these jets, `(B,)`.

    Raises:
        InputError: a class whose jets it mostly gets wrong.
    """
    labels, index = hard_labels(probabilities), np.asarray(classes, np.int64)
    return checked(np.stack([labels[index == k].mean(0) for k in range(probabilities.shape[1])]))
