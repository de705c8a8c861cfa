"""DINO and KoLeo against loops over rows and prototypes."""

import math

import pytest
import torch

from jetssl.losses.dino import dino, koleo
from tests.helpers.toys import normal

STUDENT, TEACHER, CENTRE = normal(8, 5), normal(8, 5, seed=2), normal(5, seed=3)


def one_row(student, teacher):
    wanted = ((teacher - CENTRE) / 0.05).softmax(0)
    return -sum(float(p) * math.log(float(q)) for p, q in zip(wanted, (student / 0.2).softmax(0), strict=True))


@pytest.mark.parametrize("weights", [None, torch.tensor([1.0, 0.0, 3.0, 0.5])])
def test_dino_is_the_mean_of_both_directions(weights):
    rows = [(one_row(STUDENT[i], TEACHER[i + 4]) + one_row(STUDENT[i + 4], TEACHER[i])) / 2 for i in range(4)]
    shares = torch.ones(4) if weights is None else weights
    wanted = float((torch.tensor(rows) * shares).sum() / shares.sum())
    assert float(dino(STUDENT, TEACHER, CENTRE, (0.2, 0.05), weights)) == pytest.approx(wanted, rel=1e-5)


def test_a_student_that_agrees_has_the_entropy_of_the_teacher():
    teacher = TEACHER[:4].repeat(2, 1)
    wanted = ((teacher - CENTRE) / 0.1).softmax(1)
    entropy = -(wanted * wanted.log()).sum(1).mean()
    assert float(dino(teacher - CENTRE, teacher, CENTRE, (0.1, 0.1))) == pytest.approx(float(entropy), rel=1e-5)


def test_koleo_is_that_of_a_loop_and_finite_for_equal_vectors():
    vectors = normal(7, 3)
    unit = vectors / vectors.norm(dim=1, keepdim=True)
    nearest = [min(float((one - unit[j]).norm()) for j in range(7) if j != i) for i, one in enumerate(unit)]
    assert float(koleo(vectors)) == pytest.approx(-sum(map(math.log, nearest)) / 7, rel=1e-4)
    equal = torch.ones(4, 3, requires_grad=True)
    koleo(equal).backward()
    assert torch.isfinite(equal.grad).all()


def test_koleo_pushes_the_nearest_apart():
    vectors = normal(20, 2).requires_grad_()
    before = koleo(vectors)
    before.backward()
    after = koleo(vectors - 0.001 * vectors.grad)
    assert after < before
