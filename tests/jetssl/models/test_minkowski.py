"""Frames of vectors: proper Lorentz transformations, that follow what they are made of."""

import pytest
import torch

from jetssl.config.encoders import LocalFramesCard
from jetssl.models import minkowski
from tests.helpers.lorentz import any_move
from tests.helpers.toys import normal

METRIC = torch.diag(torch.tensor([1.0, -1, -1, -1], dtype=torch.float64))


def timelike(*shape, seed=1):
    momentum = normal(*shape, 3, seed=seed).double()
    return torch.cat([(1 + momentum.square().sum(-1, keepdim=True)).sqrt(), momentum], dim=-1)


def test_known_boost():
    """3, 4, 5: gamma is 5/3."""
    boost = minkowski.rest_boost(torch.tensor([5.0, 0, 4, 0], dtype=torch.float64))
    torch.testing.assert_close(boost[0], torch.tensor([5 / 3, 0, -4 / 3, 0], dtype=torch.float64))
    torch.testing.assert_close(boost[2], torch.tensor([-4 / 3, 0, 5 / 3, 0], dtype=torch.float64))
    assert (minkowski.rest_boost(torch.zeros(4)) == torch.eye(4)).all()


def test_boosts_have_a_largest_factor():
    """It is reached smoothly as the mass vanishes, and kept where rounding makes its square negative."""
    mass_over_energy_squared = torch.tensor([1.1e-4, 1.001e-4, 0.999e-4, 0.0, -1e-7], dtype=torch.float64)
    length = 50 * (1 - mass_over_energy_squared).sqrt()
    momenta = torch.stack([torch.full_like(length, 50), 0.6 * length, 0 * length, -0.8 * length], dim=-1)
    boosts = minkowski.rest_boost(momenta, 1e-4)
    torch.testing.assert_close(boosts @ METRIC @ boosts.mT, METRIC.expand(5, 4, 4), atol=1e-8, rtol=0)
    torch.testing.assert_close(
        boosts[:, 0, 0], torch.tensor([1.1**-0.5 * 100, 100, 100, 100, 100]).double(), rtol=1e-3, atol=0
    )
    torch.testing.assert_close(boosts[2], boosts[1], rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(boosts[2:], boosts[2].expand(3, 4, 4))


def test_frames_are_proper_and_follow_their_vectors():
    vectors, move = timelike(20, 3), any_move()
    frames = minkowski.local_frames(vectors)
    torch.testing.assert_close(frames @ METRIC @ frames.mT, METRIC.expand(20, 4, 4), atol=1e-8, rtol=0)
    torch.testing.assert_close(torch.linalg.det(frames), torch.ones(20, dtype=torch.float64))
    torch.testing.assert_close(minkowski.inverse(frames) @ frames, torch.eye(4).double().expand(20, 4, 4))
    moved = minkowski.local_frames(vectors @ move.T)
    torch.testing.assert_close(moved @ move, frames, atol=1e-8, rtol=0)
    at_rest = (frames @ vectors.mT)[..., 1:, 0]  # the first vector rests, the second has the first axis
    torch.testing.assert_close(at_rest, torch.zeros_like(at_rest))
    torch.testing.assert_close((frames @ vectors.mT)[..., 2:, 1], torch.zeros(20, 2).double())


@pytest.mark.parametrize(("dependent", "axes"), [(1, 0), (2, 1)])
def test_an_axis_that_nothing_defines_is_zero(dependent, axes):
    vectors = timelike(9, 3)
    vectors[:, dependent] = vectors[:, :dependent].sum(1)
    vectors[:, 2] = vectors[:, :dependent].mean(1)
    frames = minkowski.local_frames(vectors)
    assert frames[:, 1 + axes :].abs().max() < 1e-8
    assert frames[:, : 1 + axes].square().sum(-1).min() > 0.9


def test_without_a_rest_frame_there_is_none():
    lightlike = torch.tensor([5.0, 3, 4, 0]).expand(3, 4)
    for four in (torch.zeros(3, 4), lightlike):
        vectors = four.double().requires_grad_()
        frames = minkowski.local_frames(vectors)
        assert (frames == 0).all()
        frames.sum().backward()
        assert torch.isfinite(vectors.grad).all()


def test_spurions_of_a_card():
    assert minkowski.spurions(beam=False, time=False).shape == (0, 4)
    assert minkowski.spurions(beam=True, time=True)[:, 3].tolist() == [1, -1, 0]


def test_units_and_energy_of_jets():
    momenta, valid = timelike(2, 3), torch.tensor([[True, True, True], [True, False, False]])
    card = LocalFramesCard(unit=2.0)
    torch.testing.assert_close(minkowski.in_units(momenta, valid, card), momenta / 2)
    scaled = minkowski.in_units(momenta, valid, card.model_copy(update={"jet_energy": 500}))
    torch.testing.assert_close((scaled[..., 0] * valid).sum(1), torch.full((2,), 250.0, dtype=torch.float64))
