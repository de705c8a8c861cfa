import numpy as np
import pytest
import torch
from pytorch_metric_learning import losses
from torch.nn import functional

from jetssl.losses.vicreg import covariance, invariance, variance, vicreg_terms


@pytest.fixture
def views():
    generator = torch.Generator().manual_seed(3)
    return torch.randn(2, 7, 5, generator=generator, dtype=torch.float64)


def slow_terms(first, second):
    """Algorithm 1 of arXiv:2105.04906 (the listing), one number at a time."""
    n, d = first.shape
    distance = sum((first[i, j] - second[i, j]) ** 2 for i in range(n) for j in range(d)) / (n * d)
    spreads, covariances = [], []
    for z in (first, second):
        mean = [sum(z[i, j] for i in range(n)) / n for j in range(d)]

        def cov(j, k, z=z, mean=mean):
            return sum((z[i, j] - mean[j]) * (z[i, k] - mean[k]) for i in range(n)) / (n - 1)

        spreads.append(sum(max(0.0, 1 - (cov(j, j) + 1e-4) ** 0.5) for j in range(d)) / d)
        covariances.append(sum(cov(j, k) ** 2 for j in range(d) for k in range(d) if j != k) / d)
    return distance, sum(spreads) / 2, sum(covariances)


@pytest.mark.parametrize("scale", [0.1, 0.8, 3.0])
def test_equals_slow_loop(views, scale):
    for found, wanted in zip(vicreg_terms(*(scale * views)), slow_terms(*(scale * views)), strict=True):
        assert found.item() == pytest.approx(float(wanted), abs=1e-12)


def test_equals_installed_library(views):
    theirs = losses.VICRegLoss(invariance_lambda=25, variance_mu=25, covariance_v=1, eps=1e-4)
    terms = vicreg_terms(*views)
    ours = 25 * terms.invariance + 25 * terms.variance + terms.covariance
    assert ours.item() == pytest.approx(theirs(views[0], ref_emb=views[1]).item(), rel=1e-6)


def test_hand_values():
    spread = torch.tensor([[2.0, 0.0], [-2.0, 0.0]])
    assert variance(spread).item() == pytest.approx((0 + 1 - 0.01) / 2)
    correlated = torch.tensor([[1.0, 1.0], [-1.0, -1.0]])
    assert covariance(correlated).item() == pytest.approx((2**2 + 2**2) / 2)
    assert invariance(spread, torch.zeros(2, 2)).item() == pytest.approx(2.0)
    assert covariance(spread).item() == 0


def test_true_number_of_rows_divides(views):
    """Repeating every row keeps means; N - 1 then tells how many there are."""
    n = views.shape[1]
    ratio = ((2 * n) / (2 * n - 1) * (n - 1) / n) ** 2
    assert covariance(views[0].repeat(2, 1)) / covariance(views[0]) == pytest.approx(ratio)


def test_raw_embeddings_can_reach_the_wanted_spread_and_unit_vectors_cannot(views):
    assert variance(10 * views[0]).item() == 0
    assert variance(functional.normalize(10 * views[0], dim=1)).item() > 0.1


def test_collapse_has_a_finite_gradient():
    same = torch.ones(4, 3, requires_grad=True)
    sum(vicreg_terms(same, same)).backward()
    assert torch.isfinite(same.grad).all()
    assert vicreg_terms(same, same).variance.item() == pytest.approx(0.99)


def test_symmetric_in_views_and_rows(views):
    order = torch.tensor([3, 1, 5, 0, 2, 4, 6])
    for other in (views.flip(0), views[:, order]):
        torch.testing.assert_close(torch.stack(vicreg_terms(*other)), torch.stack(vicreg_terms(*views)))


def test_single_precision_under_autocast(views):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        terms = vicreg_terms(*views.bfloat16())
    assert {term.dtype for term in terms} == {torch.float32}
    torch.testing.assert_close(torch.stack(terms), torch.stack(vicreg_terms(*views.bfloat16().float())))


@pytest.mark.parametrize("rows", [(1, 1), (3, 4)])
def test_refuses_one_row_and_unequal_views(views, rows):
    with pytest.raises(ValueError, match="at least 2 rows"):
        vicreg_terms(views[0][: rows[0]], views[1][: rows[1]])


def test_rows_count_by_their_weights(views):
    weights = torch.tensor([1.0, 2.0, 0.0, 3.0, 1.0, 0.5, 4.0], dtype=torch.float64)
    found = vicreg_terms(*views, weights)
    moments = [np.cov(view.numpy().T, aweights=weights.numpy(), ddof=0) * 7 / 6 for view in views]
    spreads = [np.maximum(0, 1 - np.sqrt(np.diag(moment) + 1e-4)).mean() for moment in moments]
    others = [((moment - np.diag(np.diag(moment))) ** 2).sum() / 5 for moment in moments]
    distance = np.average((views[0] - views[1]).square().mean(1).numpy(), weights=weights.numpy())
    for term, wanted in zip(found, (distance, np.mean(spreads), sum(others)), strict=True):
        assert term.item() == pytest.approx(wanted)
    for term, wanted in zip(vicreg_terms(*views, 2 * torch.ones(7)), vicreg_terms(*views), strict=True):
        torch.testing.assert_close(term, wanted)
