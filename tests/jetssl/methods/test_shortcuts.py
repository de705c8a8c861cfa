"""What kinematics alone tell of a pair, against loops."""

import math

import pytest
import torch

from jetssl.methods import shortcuts
from jetssl.methods.shortcuts import ETA_WINDOW, PT_WINDOW, in_one_bin, pair_auc
from tests.helpers.toys import normal


def close(jet, other):
    return abs(math.log(jet[0] / other[0])) < PT_WINDOW and abs(abs(jet[1]) - abs(other[1])) < ETA_WINDOW


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
            near = close(one[i], other[j]) and close(one[i], other[i])
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


def test_an_encoder_of_pt_is_not_below_a_toss():
    """Where two showers of a parton differ in pT by more than a bin is wide."""
    parton = 100 * (0.3 * normal(400, 1, seed=6)).exp()
    pt = [parton * (0.2 * normal(400, 1, seed=seed)).exp() for seed in (7, 8)]
    vectors = [torch.cat([value.log().cos(), value.log().sin()], dim=1) for value in pt]
    kinematics = [torch.cat([value, torch.zeros(400, 1)], dim=1) for value in pt]
    found = pair_auc(*vectors, kinematics, torch.zeros(400))
    assert 0.47 < found.in_bin < 0.6


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
    """An encoder that only knows pT ranks pairs well among all jets, and worse in a bin of pT: the less, the nearer views are."""
    log_pt = 3 * torch.rand(400, generator=torch.Generator().manual_seed(1)) + 4
    other = log_pt + 0.02 * normal(400)
    labels = torch.zeros(400)

    def embed(values):
        return torch.stack([values.sin(), values.cos()], dim=1)

    kinematics = [torch.stack([values.exp(), torch.zeros(400)], dim=1) for values in (log_pt, other)]
    found = pair_auc(embed(log_pt), embed(other), kinematics, labels)
    assert found.anywhere > 0.97
    assert 0.7 < found.in_bin < 0.85
    assert pair_auc(embed(log_pt), embed(log_pt), (kinematics[0],) * 2, labels).in_bin > 0.95
