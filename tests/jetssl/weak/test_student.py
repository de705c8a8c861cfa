import numpy as np
import torch

from jetssl.weak.methods import Training, plain
from jetssl.weak.student import Lesson, perceptrons
from tests.helpers.gaussians import gaussians, lessons, linear_school


def test_soft_labels_of_a_linear_teacher_make_the_teacher(rng):
    """Cross-entropy with its probabilities is smallest where the student says the same."""
    points, _ = gaussians(rng, 8000)
    teacher = 1 / (1 + np.exp(-(1.5 * points[:, 0] - points[:, 1] + 0.5)))
    targets = np.stack([1 - teacher, teacher], axis=1).astype(float)
    rows = np.arange(8000)
    learn, held_out = (Lesson(part, targets[part]) for part in (rows[:6000], rows[6000:]))
    school = linear_school(points, 600)
    student = school.teach(learn, held_out, plain, 1, (1,))
    assert np.abs(school.probabilities(student, rows) - targets).max() < 0.03


def test_the_same_address_makes_the_same_bits_and_another_does_not(rng):
    points, classes = gaussians(rng, 800)
    training = [
        Training(perceptrons(points, 20), *lessons(classes), address).with_loss(plain)
        for address in ((1, 2), (1, 2), (1, 3))
    ]
    first, second, other = (student.state_dict() for student in training)
    assert all(torch.equal(value, second[name]) for name, value in first.items())
    assert any(not torch.equal(value, other[name]) for name, value in first.items())


def test_probabilities_are_the_mean_of_the_networks(rng):
    points, classes = gaussians(rng, 800)
    school = perceptrons(points, 5)
    student = school.teach(
        *lessons(classes), lambda logits, t, _: -(logits.mean(1).log_softmax(-1) * t).mean(), 2, (1,)
    )
    with torch.no_grad():
        said = torch.softmax(student(*school.inputs(np.arange(800), None)).double(), -1)
    assert said.shape == (800, 2, 2)
    np.testing.assert_allclose(school.probabilities(student, np.arange(800)), said.mean(1).numpy())
