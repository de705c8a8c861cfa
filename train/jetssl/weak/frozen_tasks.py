"""Frozen jet vectors of every training of an encoder, and a task on them: where students on vectors learn.

Letters: S training seeds, K draws, T test jets, D model width.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from jetssl.config.weak import DomainName
from jetssl.evaluation.task import Task
from jetssl.weak.domains import training_labels, transfer, true_labels
from jetssl.weak.records import JudgedJets
from jetssl.weak.student import LabelledJets, Student, StudentTrainer, perceptrons
from jetssl.weak.study import Study, vectors_of
from jetssl.weak.teaching import one_hot
from resim.common.arrays import Floats, Integers

Address = tuple[int, ...]
"""Seed of the study, training of the encoder, draw."""
Scores = dict[str, Floats]
"""Probability of signal of the test jets by the name of an arm."""


@dataclass(frozen=True, slots=True)
class FrozenTask:
    """The frozen jet vectors of one training of an encoder, and a task on them."""

    trainer: StudentTrainer
    task: Task
    """labels of the simulation; tested may be another domain"""
    shift: int
    """row of the table at which the tested domain begins"""
    unlabelled: tuple[Integers, Integers]
    """rows of the tested domain that may train and validate, without their labels"""
    encoder: str
    view: str
    """of the tested domain"""

    @property
    def labelled(self) -> tuple[LabelledJets, LabelledJets]:
        """Training and validation rows with their labels."""
        learn, hold_out = (
            one_hot(rows, self.task.is_signal[rows]) for rows in (self.task.train, self.task.validation)
        )
        return learn, hold_out

    @property
    def test(self) -> JudgedJets:
        """What is tested."""
        task = self.task
        return JudgedJets(task.name, self.view, self.encoder, task.is_signal[task.test], task.hard_scatter)

    def signal_probability(self, student: Student) -> Floats:
        """Of the test jets, `(T,)`."""
        return self.trainer.probabilities(student, self.task.test)[:, 1]


def frozen_tasks(study: Study, pretraining: str, tested: DomainName) -> Iterator[FrozenTask]:
    """One for each training of a pre-training."""
    learned, other = study.domain("simulation"), study.domain(tested)
    truth = true_labels(other, study.question)
    table, task = transfer(learned, training_labels(learned, study.question), other, truth)
    shift = learned.table.rows.n_rows
    train, validation = (shift + side for side in other.splits.sides[:2])
    for loaded in study.encoders(pretraining):
        vectors = vectors_of(loaded, table, [task.train, task.validation, task.test, train, validation])
        trainer = perceptrons(vectors, study.card.student_steps)
        yield FrozenTask(trainer, task, shift, (train, validation), loaded.card.encoder.name, other.card.view)


def scores_in(
    tasks: list[FrozenTask], seed: int, draws: int, one: Callable[[FrozenTask, Address], Scores]
) -> dict[str, Floats]:
    """Scores `(S, K, T)` by the name of the arm, from every task and draw."""
    by_task = []
    for number, frozen in enumerate(tasks):
        of_draws = [one(frozen, (seed, number, draw)) for draw in range(draws)]
        by_task.append({name: np.stack([scores[name] for scores in of_draws]) for name in of_draws[0]})
    return {name: np.stack([of_room[name] for of_room in by_task]) for name in by_task[0]}
