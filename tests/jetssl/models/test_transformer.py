import pytest
import torch

from jetssl.config import Card, DataCard
from jetssl.models.builder import build_encoder
from jetssl.models.encoder import jet_vectors

TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}


@pytest.fixture
def encoder():
    return build_encoder(Card(data=DataCard(files=("none",))), seed=1)


def test_shapes_and_padding_is_zero(encoder, batch):
    encoded = encoder(*batch)
    assert encoded.tokens.shape == (4, 12, encoder.width)
    assert encoded.jet.shape == (4, encoder.width)
    assert (encoded.tokens[~batch.mask] == 0).all()
    assert torch.isfinite(encoded.jet).all()


def test_permutation(encoder, batch, rng):
    order = torch.from_numpy(rng.permutation(12))
    encoded, shuffled = encoder(*batch), encoder(*(tensor[:, order] for tensor in batch))
    torch.testing.assert_close(shuffled.jet, encoded.jet, **TOLERANCE)
    torch.testing.assert_close(shuffled.tokens, encoded.tokens[:, order], **TOLERANCE)


def test_padding_is_never_read(encoder, batch):
    wider = [torch.nn.functional.pad(tensor, (0, 0, 0, 5)) for tensor in batch[:2]]
    mask = torch.nn.functional.pad(batch.mask, (0, 5))
    garbage = wider[0].masked_fill(~mask[..., None], 1e3)
    encoded, padded = encoder(*batch), encoder(garbage, wider[1], mask)
    torch.testing.assert_close(padded.jet, encoded.jet, **TOLERANCE)
    torch.testing.assert_close(padded.tokens[:, :12], encoded.tokens, **TOLERANCE)


def test_jets_are_independent(encoder, batch):
    alone = encoder(*(tensor[1:2, :1] for tensor in batch))
    torch.testing.assert_close(alone.jet, encoder(*batch).jet[1:2], **TOLERANCE)


@pytest.mark.parametrize("groups", [1, 2, 3, 10])
def test_groups_change_nothing(encoder, batch, groups):
    torch.testing.assert_close(jet_vectors(encoder, batch, groups), encoder(*batch).jet, **TOLERANCE)


def test_multiplicity_is_visible(encoder):
    features = torch.ones(2, 4, 10)
    mask = torch.tensor([[True] * 4, [True] * 2 + [False] * 2])
    jet = encoder(features, torch.ones(2, 4, 4), mask).jet
    assert not torch.allclose(jet[0], jet[1])


def test_gradient_reaches_every_parameter(encoder, batch):
    encoder(*batch).jet.square().sum().backward()
    dead = [name for name, p in encoder.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert dead == []


def test_seed_fixes_weights_and_leaves_global_state():
    card = Card(data=DataCard(files=("none",)))
    before = torch.random.get_rng_state()
    first, again, other = (build_encoder(card, seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["pool.weight"], other["pool.weight"])
