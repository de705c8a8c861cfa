import numpy as np
import pytest

from jetssl.weak.label_noise import class_dependent, corrupt
from jetssl.weak.student import LabelledJets
from jetssl.weak.teaching import TeacherStudent, confusion, one_hot
from resim.common.errors import InputError
from tests.helpers.gaussians import BEST, gaussians, linear_trainer


@pytest.fixture
def teacher_student(rng):
    """A teacher's class and data whose points are 0.8 to the right: 9,000 of 12,000 points are data."""
    points, classes = gaussians(rng, 12_000)
    points[3000:, 0] += 0.8
    parts = np.split(np.arange(12_000), [2000, 3000, 7000, 9000])
    trainer = linear_trainer(points)
    labelled = [one_hot(rows, classes[rows]) for rows in parts[:2]]
    return TeacherStudent(trainer, *labelled, *parts[2:4]), parts[4], classes


def right(teacher_student, student):
    frozen, test, classes = teacher_student
    return (frozen.trainer.probabilities(student, test).argmax(1) == classes[test]).mean()


@pytest.mark.slow
def test_a_student_of_the_same_kind_says_what_its_teacher_says(teacher_student):
    """Hard labels of a linear teacher are a linear function of the jet: nothing is left to be learned from them."""
    frozen, test, _ = teacher_student
    teacher = frozen.teacher((1, 0))
    probabilities = frozen.trainer.probabilities(teacher, test).argmax(1)
    for method in ("hard", "soft"):
        student = frozen.student(method, teacher, np.eye(2), (1, 1))
        assert (frozen.trainer.probabilities(student, test).argmax(1) == probabilities).mean() > 0.98, method


@pytest.mark.slow
def test_a_shift_costs_the_teacher_what_gaussians_say(teacher_student):
    """Phi(1.8) and Phi(0.2) of the classes are right: 0.77 instead of 0.84."""
    frozen, test, _ = teacher_student
    expected, error = 0.7717, np.sqrt(BEST * (1 - BEST) / len(test))
    assert right(teacher_student, frozen.teacher((1, 0))) == pytest.approx(expected, abs=4 * error + 0.01)


@pytest.mark.slow
def test_a_matrix_moves_the_cut_to_where_it_says(teacher_student):
    """A linear student of hard labels repeats its teacher's cut; told that labels are right, forward does as well."""
    frozen, test, _ = teacher_student
    teacher = frozen.teacher((1, 0))
    trusting, corrected = (
        frozen.trainer.probabilities(frozen.student("forward", teacher, matrix, (1, 1)), test)[:, 1]
        for matrix in (np.eye(2), class_dependent([0.4, 0.0]))
    )
    plain = frozen.trainer.probabilities(frozen.student("hard", teacher, np.eye(2), (1, 1)), test)[:, 1]
    assert ((trusting > 0.5) == (plain > 0.5)).mean() > 0.98
    assert (corrected > 0.5).mean() < (plain > 0.5).mean() - 0.02


@pytest.mark.slow
def test_rounds_of_self_training_are_rounds_of_sure_labels(teacher_student):
    frozen, test, _ = teacher_student
    teacher = frozen.teacher((1, 0))
    once = frozen.self_trained(teacher, 1, (1, 5))
    by_hand = frozen.trainer.fit(
        *frozen._pseudo_labelled("confident", teacher), lambda z, t, _: _cross_entropy(z, t), 1, (1, 5, 0)
    )
    np.testing.assert_array_equal(
        frozen.trainer.probabilities(once, test), frozen.trainer.probabilities(by_hand, test)
    )


def _cross_entropy(logits, targets):
    return -(targets * logits[:, 0].log_softmax(-1)).sum(-1).mean()


def test_confusion_is_the_matrix_of_the_noise(rng):
    matrix = class_dependent([0.1, 0.3])
    classes = np.arange(20_000) % 2
    probabilities = np.eye(2)[corrupt(classes, matrix, rng)]
    np.testing.assert_allclose(confusion(probabilities, classes), matrix, atol=0.02)


def test_a_teacher_that_is_mostly_wrong_is_refused():
    with pytest.raises(InputError, match="label noise of class 1: 1 of its labels are wrong"):
        confusion(np.array([[0.9, 0.1]] * 4), [0, 1, 0, 1])


def test_one_hot():
    labelled = one_hot(np.array([7, 9]), np.array([True, False]))
    assert isinstance(labelled, LabelledJets)
    assert labelled.targets.tolist() == [[0, 1], [1, 0]]
