import numpy as np
import pytest
import torch

from jetssl.weak.forward_correction import estimated_transition, forward_corrected
from jetssl.weak.label_noise import class_dependent, corrupt
from jetssl.weak.methods import Training
from resim.common.errors import InputError
from tests.helpers.gaussians import BEST, accuracy, gaussians, labelled_jets, linear_trainer
from tests.helpers.toys import normal

NOISE = class_dependent([0.1, 0.4])


def test_against_a_slow_loop():
    logits, labels = normal(4, 2), [0, 1, 1, 0]
    expected = []
    for row, label in zip(logits, labels, strict=True):
        p = torch.softmax(row, -1)
        expected.append(-torch.log(sum(NOISE[i, label] * p[i] for i in range(2))))
    found = forward_corrected(logits, torch.eye(2)[labels], torch.from_numpy(NOISE).float())
    torch.testing.assert_close(found, torch.stack(expected))


def test_a_matrix_with_zeros_has_finite_gradients():
    logits = normal(4, 2).requires_grad_()
    forward_corrected(logits, torch.eye(2)[[0, 1, 1, 0]], torch.eye(2)).sum().backward()
    assert torch.isfinite(logits.grad).all()


@pytest.mark.slow
def test_gaussian_classes_with_class_dependent_noise(rng):
    """The corrected loss ends at the best accuracy, 0.841; labels as they are at Phi at the shifted cut, 0.79."""
    points, classes = gaussians(rng, 40_000)
    trainer = linear_trainer(points)
    training = Training(trainer, *labelled_jets(corrupt(classes, NOISE, rng)), (1,))
    for method in ("forward", "forward_estimated"):
        corrected, error = accuracy(trainer, training.noisy(method, NOISE), classes)
        assert corrected == pytest.approx(BEST, abs=4 * error), method
    plain, error = accuracy(trainer, training.noisy("plain", NOISE), classes)
    assert plain < BEST - 8 * error


def test_the_matrix_is_found(rng):
    """Classes that are far apart: a network that learned the noisy labels says the noise rates."""
    classes = rng.integers(0, 2, 5000)
    probabilities = NOISE[classes] + rng.normal(0, 1e-3, (5000, 1)) * [1, -1]
    np.testing.assert_allclose(estimated_transition(probabilities), NOISE, atol=0.01)


def test_an_estimate_without_classes_is_refused():
    with pytest.raises(InputError, match="label noise of class"):
        estimated_transition(np.full((100, 2), 0.5))
