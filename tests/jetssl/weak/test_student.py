import numpy as np
import pytest
import torch

from jetssl.weak.methods import Training, plain
from jetssl.weak.student import LabelledJets, perceptrons
from tests.helpers.gaussians import gaussians, labelled_jets, linear_trainer


@pytest.mark.slow
def test_soft_labels_of_a_linear_teacher_make_the_teacher(rng):
    """Cross-entropy with its probabilities is smallest where the student says the same."""
    points, _ = gaussians(rng, 8000)
    teacher = 1 / (1 + np.exp(-(1.5 * points[:, 0] - points[:, 1] + 0.5)))
    targets = np.stack([1 - teacher, teacher], axis=1).astype(float)
    rows = np.arange(8000)
    learn, held_out = (LabelledJets(part, targets[part]) for part in (rows[:6000], rows[6000:]))
    trainer = linear_trainer(points, 600)
    student = trainer.fit(learn, held_out, plain, 1, (1,))
    assert np.abs(trainer.probabilities(student, rows) - targets).max() < 0.03


def test_the_same_address_makes_the_same_bits_and_another_does_not(rng):
    points, classes = gaussians(rng, 800)
    training = [
        Training(perceptrons(points, 20), *labelled_jets(classes), address).with_loss(plain)
        for address in ((1, 2), (1, 2), (1, 3))
    ]
    first, second, other = (student.state_dict() for student in training)
    assert all(torch.equal(value, second[name]) for name, value in first.items())
    assert any(not torch.equal(value, other[name]) for name, value in first.items())


def test_probabilities_are_the_mean_of_the_networks(rng):
    points, classes = gaussians(rng, 800)
    trainer = perceptrons(points, 5)
    student = trainer.fit(
        *labelled_jets(classes), lambda logits, t, _: -(logits.mean(1).log_softmax(-1) * t).mean(), 2, (1,)
    )
    with torch.no_grad():
        probabilities = torch.softmax(student(*trainer.inputs(np.arange(800), None)).double(), -1)
    assert probabilities.shape == (800, 2, 2)
    np.testing.assert_allclose(trainer.probabilities(student, np.arange(800)), probabilities.mean(1).numpy())
