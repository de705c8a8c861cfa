"""Students of a teacher: which way to learn from its labels on data is better than the teacher itself?

Letters: S training seeds, K draws, T test jets.
"""

from functools import partial

import numpy as np

from jetssl.config.weak import TeachingCard
from jetssl.evaluation.results import Result
from jetssl.weak.domains import Truth, true_labels
from jetssl.weak.frozen_tasks import Address, FrozenTask, Scores, frozen_tasks, scores_in
from jetssl.weak.methods import Training, plain
from jetssl.weak.records import Arm, measured, records
from jetssl.weak.study import Study
from jetssl.weak.teaching import TeacherStudent, confusion, one_hot

TEACHER = "teacher"
ORACLE = "oracle"
"""Learned from labels of data, which nobody has."""


def from_teacher(study: Study, card: TeachingCard) -> list[Result]:
    """Teacher, its students and the oracle, tested on data."""
    there = list(frozen_tasks(study, card.pretraining, "data"))
    truth = true_labels(study.domain("data"), study.question)
    seed, draws = study.card.seed, study.card.draws
    scores = scores_in(there, seed, draws, partial(_taught, card)) | scores_in(
        there, seed, draws, partial(_oracle, truth)
    )
    labels = dict.fromkeys(scores, len(there[0].task.train)) | {ORACLE: len(there[0].unlabelled[0])}
    arms = [Arm(name, f"wsl_{name}", of_arm, labels[name]) for name, of_arm in scores.items()]
    test = there[0].test
    found = measured(arms, test, seed)
    results = records(found[TEACHER], test, study.origin)
    for name in scores:
        if name != TEACHER:
            results += records(found[name], test, study.origin, found[TEACHER])
    return results


def _taught(card: TeachingCard, frozen: FrozenTask, address: Address) -> Scores:
    """Of the teacher and of its students. No label of data is within reach."""
    teacher_student = TeacherStudent(frozen.trainer, *frozen.labelled, *frozen.unlabelled)
    teacher = teacher_student.teacher((*address, 0))
    if card.transition is None:
        rows = frozen.task.validation
        transition = confusion(frozen.trainer.probabilities(teacher, rows), frozen.task.is_signal[rows])
    else:
        transition = np.array(card.transition)
    found = {TEACHER: frozen.signal_probability(teacher)}
    for number, method in enumerate(card.methods, start=1):
        if method == "self_training":
            student = teacher_student.self_trained(teacher, card.rounds, (*address, number))
        else:
            student = teacher_student.student(method, teacher, transition, (*address, number))
        found[method] = frozen.signal_probability(student)
    return found


def _oracle(truth: Truth, frozen: FrozenTask, address: Address) -> Scores:
    """Of one that learned from true labels of data: belongs to the evaluation."""
    labelled = []
    for rows in frozen.unlabelled:
        own = rows - frozen.shift
        labelled.append(one_hot(rows[truth.is_either[own]], truth.is_signal[own[truth.is_either[own]]]))
    student = Training(frozen.trainer, labelled[0], labelled[1], (*address, 0)).with_loss(plain)
    return {ORACLE: frozen.signal_probability(student)}
