import numpy as np
import pytest

from jetssl.weak.label_noise import class_dependent, corrupt
from jetssl.weak.student import Lesson
from jetssl.weak.teaching import Classroom, confusion, one_hot
from resim.common.errors import InputError
from tests.helpers.gaussians import BEST, gaussians, linear_school


@pytest.fixture
def classroom(rng):
    """A teacher's class and data whose points are 0.8 to the right: 9,000 of 12,000 points are data."""
    points, classes = gaussians(rng, 12_000)
    points[3000:, 0] += 0.8
    parts = np.split(np.arange(12_000), [2000, 3000, 7000, 9000])
    school = linear_school(points)
    lessons = [one_hot(rows, classes[rows]) for rows in parts[:2]]
    return Classroom(school, *lessons, *parts[2:4]), parts[4], classes


def right(classroom, student):
    room, test, classes = classroom
    return (room.school.probabilities(student, test).argmax(1) == classes[test]).mean()


def test_a_student_of_the_same_kind_says_what_its_teacher_says(classroom):
    """Hard labels of a linear teacher are a linear function of the jet: nothing is left to be learned from them."""
    room, test, _ = classroom
    teacher = room.teacher((1, 0))
    said = room.school.probabilities(teacher, test).argmax(1)
    for method in ("hard", "soft"):
        student = room.student(method, teacher, np.eye(2), (1, 1))
        assert (room.school.probabilities(student, test).argmax(1) == said).mean() > 0.98, method


def test_a_shift_costs_the_teacher_what_gaussians_say(classroom):
    """Phi(1.8) and Phi(0.2) of the classes are right: 0.77 instead of 0.84."""
    room, test, _ = classroom
    expected, error = 0.7717, np.sqrt(BEST * (1 - BEST) / len(test))
    assert right(classroom, room.teacher((1, 0))) == pytest.approx(expected, abs=4 * error + 0.01)


def test_a_matrix_moves_the_cut_to_where_it_says(classroom):
    """A linear student of hard labels repeats its teacher's cut; told that labels are right, forward does as well."""
    room, test, _ = classroom
    teacher = room.teacher((1, 0))
    trusting, corrected = (
        room.school.probabilities(room.student("forward", teacher, matrix, (1, 1)), test)[:, 1]
        for matrix in (np.eye(2), class_dependent([0.4, 0.0]))
    )
    plain = room.school.probabilities(room.student("hard", teacher, np.eye(2), (1, 1)), test)[:, 1]
    assert ((trusting > 0.5) == (plain > 0.5)).mean() > 0.98
    assert (corrected > 0.5).mean() < (plain > 0.5).mean() - 0.02


def test_rounds_of_self_training_are_rounds_of_sure_labels(classroom):
    room, test, _ = classroom
    teacher = room.teacher((1, 0))
    once = room.self_trained(teacher, 1, (1, 5))
    by_hand = room.school.teach(
        *room._lessons("confident", teacher), lambda z, t, _: _cross_entropy(z, t), 1, (1, 5, 0)
    )
    np.testing.assert_array_equal(room.school.probabilities(once, test), room.school.probabilities(by_hand, test))


def _cross_entropy(logits, targets):
    return -(targets * logits[:, 0].log_softmax(-1)).sum(-1).mean()


def test_confusion_is_the_matrix_of_the_noise(rng):
    matrix = class_dependent([0.1, 0.3])
    classes = np.arange(20_000) % 2
    said = np.eye(2)[corrupt(classes, matrix, rng)]
    np.testing.assert_allclose(confusion(said, classes), matrix, atol=0.02)


def test_a_teacher_that_is_mostly_wrong_is_refused():
    with pytest.raises(InputError, match="label noise of class 1: 1 of its labels are wrong"):
        confusion(np.array([[0.9, 0.1]] * 4), [0, 1, 0, 1])


def test_one_hot():
    lesson = one_hot(np.array([7, 9]), np.array([True, False]))
    assert isinstance(lesson, Lesson)
    assert lesson.targets.tolist() == [[0, 1], [1, 0]]
