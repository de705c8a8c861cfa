"""AnomCLR and AnomCLR+ against a loop over jets, written from the equations of arXiv:2301.04660."""

import math

import pytest
import torch

from jetssl.losses.anomclr import anomclr, anomclr_plus
from tests.helpers.toys import normal

FIRST, SECOND, STRANGE = normal(5, 4), normal(5, 4, seed=2), normal(5, 4, seed=3)
TAU = 0.3


def similarity(one, other):
    return float(one @ other / (one.norm() * other.norm())) / TAU


def slow(*, plus):
    """Of each row, the mean of both views as the jet z that others are compared with."""
    values = []
    for i in range(5):
        of_views = []
        for z, partner in ((FIRST[i], SECOND[i]), (SECOND[i], FIRST[i])):
            others = [similarity(z, x[j]) for j in range(5) if j != i for x in (FIRST, SECOND)]
            log_sum = 0 if plus else math.log(sum(map(math.exp, others)))
            of_views.append(-(similarity(z, partner) - similarity(z, STRANGE[i])) + log_sum)
        values.append(sum(of_views) / 2)
    return values


@pytest.mark.parametrize(("loss", "plus"), [(anomclr, False), (anomclr_plus, True)])
@pytest.mark.parametrize("weights", [None, [1.0, 0.0, 3.0, 0.5, 2.0]])
def test_it_is_the_loop(loss, plus, weights):
    shares = weights or [1.0] * 5
    wanted = sum(share * value for share, value in zip(shares, slow(plus=plus), strict=True)) / sum(shares)
    found = loss(FIRST, SECOND, STRANGE, TAU, None if weights is None else torch.tensor(weights))
    assert float(found) == pytest.approx(wanted, rel=1e-5)


def test_the_best_of_the_plus_is_known():
    """Views that agree, and anomalies on the other side."""
    assert float(anomclr_plus(FIRST, FIRST, -FIRST, TAU)) == pytest.approx(-2 / TAU, rel=1e-5)
    assert float(anomclr_plus(FIRST, FIRST, FIRST, TAU)) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("loss", [anomclr, anomclr_plus])
def test_order_of_views_and_lengths_change_nothing(loss):
    wanted = loss(FIRST, SECOND, STRANGE, TAU)
    torch.testing.assert_close(loss(SECOND, FIRST, STRANGE, TAU), wanted)
    torch.testing.assert_close(loss(3 * FIRST, SECOND, 0.5 * STRANGE, TAU), wanted)
    turned = torch.tensor([3, 1, 4, 0, 2])
    torch.testing.assert_close(loss(FIRST[turned], SECOND[turned], STRANGE[turned], TAU), wanted)


@pytest.mark.parametrize("loss", [anomclr, anomclr_plus])
def test_descent_pushes_anomalies_away(loss):
    strange = STRANGE.clone().requires_grad_()
    loss(FIRST, FIRST, strange, TAU).backward()
    moved = strange.detach() - 0.1 * strange.grad
    before, after = (torch.cosine_similarity(FIRST, x).mean() for x in (STRANGE, moved))
    assert after < before


def test_one_row_has_no_others():
    with pytest.raises(ValueError, match="got one row"):
        anomclr(FIRST[:1], SECOND[:1], STRANGE[:1], TAU)
