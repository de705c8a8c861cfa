"""Features of pairs, by their formulas in double precision, and the bias that they fill."""

import math

import pytest
import torch

from jetssl.data.ragged import Ragged
from jetssl.models.pair_features import PairEmbedding, pair_features


def momentum(pt, eta, phi, mass=0.14):
    energy = math.hypot(pt * math.cosh(eta), mass)
    return [energy, pt * math.cos(phi), pt * math.sin(phi), pt * math.sinh(eta)]


def rapidity(p):
    return 0.5 * math.log((p[0] + p[3]) / (p[0] - p[3]))


def test_formulas_of_the_paper():
    a, b = momentum(10, 0.3, 3.1), momentum(4, -0.2, -3.0)
    found = pair_features(torch.tensor([a, b], dtype=torch.float64), torch.tensor([0]), torch.tensor([1]))[0]
    delta = math.hypot(rapidity(a) - rapidity(b), 2 * math.pi - 6.1)
    mass2 = (a[0] + b[0]) ** 2 - sum((x + y) ** 2 for x, y in zip(a[1:], b[1:], strict=True))
    wanted = [math.log(4 * delta), math.log(4 / 14), math.log(delta), math.log(mass2)]
    assert found.tolist() == pytest.approx(wanted, rel=1e-6)


def test_features_are_symmetric_and_finite_for_a_particle_with_itself():
    momenta = torch.tensor([momentum(10, 0, 0), momentum(3, 1, 1)], dtype=torch.float64)
    one, other = torch.tensor([0, 1]), torch.tensor([1, 0])
    assert torch.equal(*pair_features(momenta, one, other))
    assert pair_features(momenta, one, one).isfinite().all()


def test_the_bias_is_symmetric_and_closes_padded_keys():
    mask = torch.tensor([[True, True, True], [True, False, False]])
    ragged = Ragged.of(mask)
    momenta = ragged.flatten(torch.tensor([momentum(p, 0.1 * p, 0.2 * p) for p in range(1, 7)]).view(2, 3, 4))
    embedding = PairEmbedding((5,), heads=2).eval()
    for bucket, (pairs, values) in zip(ragged.buckets, embedding(momenta, ragged), strict=True):
        bias = pairs.fill(values)
        assert torch.equal(bias, bias.transpose(2, 3)) or not bucket.valid.all()
        for jet, valid in enumerate(bucket.valid):
            assert bias[jet][:, valid][:, :, valid].isfinite().all()
            assert (bias[jet][:, :, ~valid] == -torch.inf).all()
