"""Losses of hidden constituents against a loop over them."""

import math

import pytest
import torch

from jetssl.losses.masked_particles import regression_loss, type_loss
from tests.helpers.toys import normal

AT = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 2.0]])
PLACES = [(0, 0), (0, 2), (1, 2)]


def mean(of_place):
    shares = [float(AT[place]) for place in PLACES]
    return sum(share * value for share, value in zip(shares, of_place, strict=True)) / sum(shares)


def test_regression_is_the_mean_absolute_error_of_a_loop():
    guessed, features = normal(2, 3, 4), normal(2, 3, 4, seed=2)
    errors = [sum(abs(float(guessed[r, i, c] - features[r, i, c])) for c in range(4)) / 4 for r, i in PLACES]
    assert float(regression_loss(guessed, features, AT)) == pytest.approx(mean(errors), rel=1e-6)


def test_types_are_those_of_a_loop():
    logits, types = normal(2, 3, 5), torch.tensor([[0, 1, 4], [2, 2, 3]])
    surprises = [
        -float(logits[r, i, types[r, i]]) + math.log(sum(math.exp(float(x)) for x in logits[r, i])) for r, i in PLACES
    ]
    one_hot = torch.nn.functional.one_hot(types, 5)
    assert float(type_loss(logits, one_hot, AT)) == pytest.approx(mean(surprises), rel=1e-5)


def test_what_is_not_guessed_and_an_empty_batch_count_nothing():
    guessed = normal(2, 3, 4).requires_grad_()
    regression_loss(guessed, normal(2, 3, 4, seed=2), AT).backward()
    assert (guessed.grad.abs().sum(-1) > 0).equal(AT > 0)
    assert regression_loss(guessed, guessed + 1, torch.zeros(2, 3)) == 0
