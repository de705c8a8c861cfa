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
from jetssl.weak.student import CLASSES, Lesson, School, Student
from resim.common.arrays import Floats, Integers


@dataclass(frozen=True, slots=True)
class Classroom:
    """Who is taught what; rows of both domains are those of one table."""

    school: School
    lesson: Lesson
    """labelled simulation"""
    held_out: Lesson
    """more of it"""
    unlabelled: Integers
    """rows of data"""
    unlabelled_held_out: Integers
    """more of them"""

    def teacher(self, address: tuple[int, ...]) -> Student:
        """Learns in the simulation."""
        return Training(self.school, self.lesson, self.held_out, address).with_loss(plain)

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
        training = Training(self.school, *self._lessons(method, teacher), address)
        if method in ("gce", "forward", "co_teaching"):
            return training.noisy(method, transition)
        return training.with_loss(plain)

    def self_trained(self, teacher: Student, rounds: int, address: tuple[int, ...]) -> Student:
        """Every round, a fresh student learns from the labels of which the one before it is sure."""
        for number in range(rounds):
            lessons = self._lessons("confident", teacher)
            teacher = Training(self.school, *lessons, (*address, number)).with_loss(plain)
        return teacher

    def _lessons(self, method: StudentMethod, teacher: Student) -> tuple[Lesson, Lesson]:
        first, second = (
            _labelled(method, rows, self.school.probabilities(teacher, rows))
            for rows in (self.unlabelled, self.unlabelled_held_out)
        )
        return first, second


def _labelled(method: StudentMethod, rows: Integers, said: Floats) -> Lesson:
    if method == "soft":
        return Lesson(rows, said)
    if method == "confident":
        chosen = confident(said)
        return Lesson(rows[chosen], hard_labels(said[chosen]))
    return Lesson(rows, hard_labels(said))


def one_hot(rows: Integers, classes: npt.NDArray[np.bool_] | Integers) -> Lesson:
    """A lesson with labels that are sure.

    Args:
        rows: `(B,)`.
        classes: of these rows, 0 or False for background.
    """
    return Lesson(rows, np.eye(CLASSES)[np.asarray(classes, np.int64)])


def confusion(said: Floats, classes: Sequence[int] | npt.NDArray[np.bool_]) -> Matrix:
    """How often a teacher gives a label to jets of a class: its transition matrix, `(K, K)`.

    Args:
        said: probabilities, `(B, K)`.
        classes: of these jets, `(B,)`.

    Raises:
        InputError: a class whose jets it mostly gets wrong.
    """
    labels, index = hard_labels(said), np.asarray(classes, np.int64)
    return checked(np.stack([labels[index == k].mean(0) for k in range(said.shape[1])]))
