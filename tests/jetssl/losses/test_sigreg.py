"""SIGReg against a loop, closed forms, and what it does to a cloud of points."""

import cmath
import math
from itertools import pairwise

import pytest
import torch

from jetssl.losses.sigreg import directions, lejepa_terms, sigreg
from tests.helpers.toys import normal


def slow(embedding, onto, weights):
    """The listing of the paper, point by point."""
    points = [-5 + 10 * i / 16 for i in range(17)]
    statistics = []
    for k in range(onto.shape[1]):
        x = [float(row @ onto[:, k]) for row in embedding]
        heights = []
        for t in points:
            found = sum(w * cmath.exp(1j * t * value) for w, value in zip(weights, x, strict=True)) / sum(weights)
            heights.append(abs(found - math.exp(-(t**2) / 2)) ** 2 * math.exp(-(t**2) / 2))
        statistics.append(len(x) * sum((a + b) / 2 * 10 / 16 for a, b in pairwise(heights)))
    return sum(statistics) / len(statistics)


@pytest.mark.parametrize("weights", [None, [1.0, 0.0, 3.0, 0.5, 2.0]])
def test_it_is_the_statistic_of_a_loop(weights):
    embedding, onto = normal(5, 3).double(), directions(3, 4, 7).double()
    of_row = None if weights is None else torch.tensor(weights).double()
    wanted = slow(embedding, onto, weights or [1.0] * 5)
    assert float(sigreg(embedding, onto, of_row)) == pytest.approx(wanted, rel=1e-9)


def test_normal_rows_have_the_value_of_the_paper_and_others_more():
    """sqrt(2 pi) (1 - 1 / sqrt(3)) on average; a single point has B sqrt(2 pi) (1 - sqrt(2) + 1 / sqrt(3))."""
    onto = directions(6, 64, 1)
    found = torch.stack([sigreg(normal(300, 6, seed=seed), onto) for seed in range(40)]).mean()
    assert float(found) == pytest.approx(math.sqrt(2 * math.pi) * (1 - 1 / math.sqrt(3)), rel=0.05)
    collapsed = 300 * math.sqrt(2 * math.pi) * (1 - math.sqrt(2) + 1 / math.sqrt(3))
    assert float(sigreg(torch.zeros(300, 6), onto)) == pytest.approx(collapsed, rel=1e-3)
    assert sigreg(2 * normal(300, 6), onto) > 5 * found
    assert sigreg(normal(300, 1).repeat(1, 6), onto) > 5 * found  # correlated, but each coordinate normal


def test_directions_are_unit_vectors_of_their_seed():
    one, same, other = (directions(8, 500, seed) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    torch.testing.assert_close(one.norm(dim=0), torch.ones(500))
    assert one.mean(1).abs().max() < 5 / math.sqrt(8 * 500)


def test_descent_makes_a_flat_cloud_round():
    """Also without a second view: this is what keeps embeddings from collapse."""
    cloud = (0.1 * normal(200, 3) + torch.tensor([1.0, 0.0, 0.0])).requires_grad_()
    optimizer = torch.optim.Adam([cloud], 0.05)
    for step in range(150):
        optimizer.zero_grad()
        sigreg(cloud, directions(3, 32, step)).backward()
        optimizer.step()
    torch.testing.assert_close(cloud.detach().mean(0), torch.zeros(3), atol=0.1, rtol=0)
    torch.testing.assert_close(torch.cov(cloud.detach().T), torch.eye(3), atol=0.25, rtol=0)


def test_prediction_is_the_distance_from_the_mean_of_the_views():
    first, second, onto = normal(6, 4), normal(6, 4, seed=2), directions(4, 8, 1)
    mean = (first + second) / 2
    wanted = torch.stack([(first - mean).square(), (second - mean).square()]).mean()
    terms = lejepa_terms(first, second, onto)
    torch.testing.assert_close(terms.prediction, wanted)
    torch.testing.assert_close(terms.sigreg, (sigreg(first, onto) + sigreg(second, onto)) / 2)
    assert lejepa_terms(first, first, onto).prediction == 0
