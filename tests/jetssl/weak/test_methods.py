import pytest
import torch

from jetssl.weak.forward_correction import estimated_transition
from jetssl.weak.label_noise import corrupt, symmetric
from jetssl.weak.methods import Training, plain
from tests.helpers.gaussians import gaussians, labelled_jets, linear_trainer


@pytest.fixture
def training(rng):
    points, classes = gaussians(rng, 2000)
    return Training(linear_trainer(points, 60), *labelled_jets(corrupt(classes, symmetric(0.2), rng)), (1,))


def same(one, other):
    return all(torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())


def test_two_networks_teach_each_other_one_learns_alone(training):
    assert len(training.noisy("co_teaching", symmetric(0.2)).networks) == 2
    assert len(training.noisy("gce", symmetric(0.2)).networks) == 1


@pytest.mark.slow
def test_only_those_who_are_told_depend_on_the_matrix(training):
    matrices = symmetric(0.1), symmetric(0.3)
    for method in ("plain", "gce", "forward_estimated"):
        assert same(*(training.noisy(method, matrix) for matrix in matrices)), method
    for method in ("forward", "co_teaching"):
        assert not same(*(training.noisy(method, matrix) for matrix in matrices)), method


def test_the_estimate_is_that_of_a_plain_student(training):
    probabilities = training.trainer.probabilities(training.with_loss(plain), training.labelled.rows)
    told = training.noisy("forward", estimated_transition(probabilities))
    assert same(told, training.noisy("forward_estimated", symmetric(0.0)))


def test_without_noise_forward_is_plain(training):
    student = training.noisy("forward", symmetric(0.0))
    rows = training.held_out.rows
    forward, plainly = (
        training.trainer.probabilities(one, rows) for one in (student, training.noisy("plain", symmetric(0.0)))
    )
    assert abs(forward - plainly).max() < 1e-4
