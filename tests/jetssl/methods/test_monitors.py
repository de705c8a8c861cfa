"""Monitors of collapse and shortcuts, on embeddings whose answers are known."""

import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from jetssl.methods.monitors import collapse_monitors, effective_rank
from jetssl.methods.online_probe import RIDGE, online_probe
from jetssl.methods.shortcuts import ETA_WINDOW, PT_WINDOW, in_one_bin, wins


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


def test_spread_out_and_collapsed():
    spread = collapse_monitors(normal(2000, 16), normal(2000, 16, seed=2))
    assert spread.std.item() == pytest.approx(1, abs=0.03)
    assert 0.9 < spread.std_min.item() <= spread.std.item()
    assert spread.effective_rank.item() > 15
    assert spread.alignment.item() == pytest.approx(2, abs=0.05)
    point = collapse_monitors(torch.ones(9, 4), torch.ones(9, 4))
    assert [value.item() for value in point] == pytest.approx([0, 0, 1, 0, 0], abs=1e-6)


def test_one_dead_dimension_is_seen():
    vectors = normal(500, 8)
    vectors[:, 3] = 0
    monitors = collapse_monitors(vectors, vectors)
    assert monitors.std_min.item() == 0
    assert monitors.std.item() > 0.8
    assert 6 < monitors.effective_rank.item() <= 7


def test_wins_against_a_loop():
    first, second = normal(2, 7, 3)
    second[4] = second[2]  # a tie
    alike = torch.rand(7, 7, generator=torch.Generator().manual_seed(3)) < 0.6
    alike[2, 4] = True
    won = of = 0
    for i in range(7):
        for j in range(7):
            if i != j and alike[i, j]:
                own, other = (torch.cosine_similarity(first[i], second[k], dim=0) for k in (i, j))
                won += 0.5 if i + j == 6 and {i, j} == {2, 4} else float(own > other)
                of += 1
    found = wins(first, second, alike)
    assert (found.won.item(), found.of.item()) == (won, of)


def test_bins():
    pt = torch.tensor([100, 100 * math.exp(0.99 * PT_WINDOW), 100 * math.exp(1.01 * PT_WINDOW), 100, 100])
    eta = torch.tensor([1.0, -1.0, 1.0, 1 + 1.01 * ETA_WINDOW, 1.0])
    kinematics = torch.stack([pt, eta], dim=1)
    labels = torch.tensor([0, 0, 0, 0, 1])
    assert in_one_bin(kinematics, kinematics, labels)[0].tolist() == [True, True, False, False, False]


def test_a_kinematic_shortcut_is_seen():
    """An encoder that only knows pT ranks pairs well among all jets and by chance in a bin of pT."""
    log_pt = 3 * torch.rand(400, generator=torch.Generator().manual_seed(1)) + 4
    other = log_pt + 0.02 * normal(400)
    labels = torch.zeros(400)

    def embed(values):
        return torch.stack([values.sin(), values.cos()], dim=1)

    def share(alike):
        found = wins(embed(log_pt), embed(other), alike)
        return (found.won / found.of).item()

    one, two = (torch.stack([values.exp(), torch.zeros(400)], dim=1) for values in (log_pt, other))
    everything = torch.ones(400, 400, dtype=torch.bool)
    assert share(everything) > 0.97
    assert share(in_one_bin(one, two, labels)) < 0.85


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
