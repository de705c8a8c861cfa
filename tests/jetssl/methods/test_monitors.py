"""Monitors of collapse and shortcuts, on embeddings whose answers are known."""

import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from jetssl.methods import monitors, shortcuts
from jetssl.methods.monitors import alignment, effective_rank, spread, uniformity
from jetssl.methods.online_probe import RIDGE, online_probe
from jetssl.methods.shortcuts import ETA_WINDOW, PT_WINDOW, in_one_bin, pair_auc


def normal(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("rank", [1, 3, 8])
def test_effective_rank_of_isotropic_subspaces(rank):
    """Equal singular values: the rank; a shift of all changes nothing."""
    basis = torch.linalg.qr(normal(64, rank + 1) - normal(64, rank + 1).mean(0)).Q[:, :rank]
    basis = torch.linalg.qr(basis - basis.mean(0)).Q
    vectors = basis @ torch.linalg.qr(normal(8, rank)).Q.T
    assert effective_rank(vectors + 5).item() == pytest.approx(rank, rel=1e-3)


def test_effective_rank_of_a_point():
    assert effective_rank(torch.ones(5, 3)).item() == 1


def test_effective_rank_equals_singular_values():
    vectors = normal(50, 9) @ torch.diag(torch.logspace(0, -3, 9))
    values = torch.linalg.svdvals((vectors - vectors.mean(0)).double())
    share = values / values.sum()
    wanted = (-share * share.log()).sum().exp()
    assert effective_rank(vectors).item() == pytest.approx(wanted.item(), rel=1e-5)


def test_effective_rank_of_rounding_is_that_of_a_point():
    assert effective_rank(torch.full((7, 5), 0.1)).item() == 1


def test_spread_out_and_collapsed():
    one, other = normal(2000, 16), normal(2000, 16, seed=2)
    wide = spread(torch.cat([one, other]))
    assert wide.std.item() == pytest.approx(1, abs=0.03)
    assert 0.9 < wide.std_min.item() <= wide.std.item()
    assert wide.effective_rank.item() > 15
    assert alignment(one, other).item() == pytest.approx(2, abs=0.05)
    point = torch.ones(9, 4)
    assert [value.item() for value in spread(point)] == pytest.approx([0, 0, 1], abs=1e-6)
    assert (alignment(point, point).item(), uniformity(point).item()) == pytest.approx((0, 0), abs=1e-6)


def test_one_dead_dimension_is_seen():
    vectors = normal(500, 8)
    vectors[:, 3] = 0
    found = spread(vectors)
    assert found.std_min.item() == 0
    assert found.std.item() > 0.8
    assert 6 < found.effective_rank.item() <= 7


@pytest.mark.parametrize("block", [1, 7, 40, 1024])
def test_uniformity_equals_all_distances(monkeypatch, block):
    monkeypatch.setattr(monitors, "ROWS_AT_ONCE", block)
    vectors = normal(40, 5) + 0.5
    unit = torch.nn.functional.normalize(vectors, dim=1)
    wanted = torch.pdist(unit).square().mul(-2).exp().mean().log()
    assert uniformity(vectors).item() == pytest.approx(wanted.item(), abs=1e-5)


def slow_auc(first, second, kinematics, labels):
    """Row by row: the share anywhere, and in a bin."""
    one, other = kinematics
    won, of = [0.0, 0.0], [0, 0]
    for i in range(len(first)):
        own = torch.cosine_similarity(first[i], second[i], dim=0)
        for j in range(len(first)):
            if i == j:
                continue
            negative = torch.cosine_similarity(first[i], second[j], dim=0)
            score = 0.5 if abs(own - negative) < 1e-6 else float(own > negative)
            near = abs(math.log(one[i, 0] / other[j, 0])) < PT_WINDOW
            near &= abs(abs(one[i, 1]) - abs(other[j, 1])) < ETA_WINDOW
            for k in (0, 1) if near and labels[i] == labels[j] else (0,):
                won[k] += score
                of[k] += 1
    return [w / n for w, n in zip(won, of, strict=True)]


@pytest.mark.parametrize("block", [1, 5, 31, 1024])
def test_pair_auc_against_a_loop(monkeypatch, block):
    """Also with ties, and with views whose pT lie far apart."""
    monkeypatch.setattr(shortcuts, "ROWS_AT_ONCE", block)
    second = normal(31, 3, seed=2)
    second[4] = second[2]
    first = second + normal(31, 3)
    pt = 500 * (0.3 * normal(31, 1, seed=3)).exp()
    smear = (0.1 * normal(31, 1, seed=4)).exp()
    smear[7] = 10
    kinematics = [torch.cat([value, 0.3 * normal(31, 1, seed=5)], dim=1) for value in (pt, pt * smear)]
    labels = torch.arange(31) % 2
    found = pair_auc(first, second, kinematics, labels)
    assert [value.item() for value in found] == pytest.approx(slow_auc(first, second, kinematics, labels), abs=1e-12)


def test_pair_auc_of_a_point_is_a_toss():
    kinematics = (torch.full((9, 2), 100.0),) * 2
    found = pair_auc(torch.ones(9, 4), torch.ones(9, 4), kinematics, torch.zeros(9))
    assert [value.item() for value in found] == [0.5, 0.5]


def test_pair_auc_without_negatives():
    found = pair_auc(normal(3, 4), normal(3, 4), (torch.tensor([[1.0, 0], [10, 0], [100, 0]]),) * 2, torch.zeros(3))
    assert found.anywhere.isfinite()
    assert found.in_bin.isnan()


def test_bins():
    pt = torch.tensor([100, 100 * math.exp(0.99 * PT_WINDOW), 100 * math.exp(1.01 * PT_WINDOW), 100, 100])
    eta = torch.tensor([1.0, -1.0, 1.0, 1 + 1.01 * ETA_WINDOW, 1.0])
    kinematics = torch.stack([pt, eta], dim=1)
    labels = torch.tensor([0, 0, 0, 0, 1])
    assert in_one_bin(kinematics, kinematics, labels, labels)[0].tolist() == [True, True, False, False, False]


def test_a_kinematic_shortcut_is_seen():
    """An encoder that only knows pT ranks pairs well among all jets and by chance in a bin of pT."""
    log_pt = 3 * torch.rand(400, generator=torch.Generator().manual_seed(1)) + 4
    other = log_pt + 0.02 * normal(400)
    labels = torch.zeros(400)

    def embed(values):
        return torch.stack([values.sin(), values.cos()], dim=1)

    kinematics = [torch.stack([values.exp(), torch.zeros(400)], dim=1) for values in (log_pt, other)]
    found = pair_auc(embed(log_pt), embed(other), kinematics, labels)
    assert found.anywhere > 0.97
    assert found.in_bin < 0.85


@pytest.mark.parametrize("classes", [2, 3])
def test_probe_equals_scikit_learn(classes):
    labels = torch.randint(0, classes, (200,), generator=torch.Generator().manual_seed(2))
    vectors = normal(200, 6) + 0.5 * torch.nn.functional.one_hot(labels, 6)
    scaler = StandardScaler().fit(vectors[::2])
    # torch divides by N - 1.
    scaler.scale_ = scaler.scale_ * np.sqrt(100 / 99)
    known, other = scaler.transform(vectors[::2]), scaler.transform(vectors[1::2])
    wanted = torch.nn.functional.one_hot(labels, classes).numpy()
    scores = Ridge(alpha=RIDGE * 100).fit(known, wanted[::2]).predict(other)
    areas = [roc_auc_score(wanted[1::2, k], scores[:, k]) for k in range(classes)]
    assert online_probe(vectors, labels) == pytest.approx(np.mean(areas), abs=1e-6)


def test_probe_knows_what_it_cannot_say():
    assert math.isnan(online_probe(normal(20, 3), torch.zeros(20, dtype=torch.int64)))
    assert math.isnan(online_probe(normal(20, 3), torch.arange(20) % 2))  # one class to learn from, one to judge
    assert online_probe(torch.ones(40, 3), torch.arange(40) // 2 % 2) == 0.5
