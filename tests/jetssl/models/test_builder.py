"""What every encoder promises, whatever is inside."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from jetssl.config.card import Card
from jetssl.data.tensors import to_tensors
from jetssl.models.builder import ENCODERS, build_encoder
from tests.helpers.toys import ENCODER_CARDS, WITHOUT_EFFECT, make_jets, toy_data

TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}
NAMES = list(ENCODER_CARDS)


def build(name):
    return build_encoder(Card(data=toy_data(name), encoder=ENCODER_CARDS[name]), seed=1).double()


def double(batch):
    return batch._replace(features=batch.features.double(), momenta=batch.momenta.double())


def jets_of(name, seed, counts):
    return double(to_tensors(make_jets(np.random.default_rng(seed), counts), toy_data(name).features))


def test_all_encoders_are_looked_at():
    assert {card.name for card in ENCODER_CARDS.values()} == set(ENCODERS)


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def encoder(name):
    return build(name).eval()


def test_shapes_and_padding_is_zero(name, encoder, jets):
    batch = to_tensors(jets, toy_data(name).features)
    encoded = encoder(*double(batch))
    assert encoded.tokens.shape == (4, 12, encoder.width)
    assert encoded.jet.shape == (4, encoder.width)
    assert (encoded.tokens[~batch.mask] == 0).all()
    assert torch.isfinite(encoded.jet).all()


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), counts=st.lists(st.integers(1, 9), min_size=1, max_size=40))
def test_order_and_company_do_not_matter(name, seed, counts):
    """Another order of constituents, more padding, holes in the mask, garbage in it, other jets: the same result."""
    encoder, jets = build(name).eval(), jets_of(name, seed, counts)
    rng = np.random.default_rng(seed)
    wider = [torch.nn.functional.pad(tensor, (0, 0, 0, 3)) for tensor in jets[:2]]
    mask = torch.nn.functional.pad(jets.mask, (0, 3))
    garbage = [tensor.masked_fill(~mask[..., None], 1e3) for tensor in wider]
    order = torch.from_numpy(rng.permutation(mask.shape[1]))
    company = torch.from_numpy(rng.permutation(len(counts)))
    moved = encoder(*(tensor[company][:, order] for tensor in (*garbage, mask)))
    expected = encoder(*jets)
    torch.testing.assert_close(moved.jet, expected.jet[company], **TOLERANCE)
    tokens = torch.nn.functional.pad(expected.tokens, (0, 0, 0, 3))[company][:, order]
    torch.testing.assert_close(moved.tokens, tokens, **TOLERANCE)
    one = int(company[0])
    alone = encoder(*(tensor[one : one + 1] for tensor in jets[:3]))
    torch.testing.assert_close(alone.jet, expected.jet[one : one + 1], **TOLERANCE)


@pytest.mark.parametrize("name", NAMES)
def test_padding_does_not_change_training(name):
    """Batch norms must not see it: the same batch with more padding has the same loss and gradients."""
    jets = jets_of(name, 5, [7, 3, 1, 9, 6] * 8)
    gradients = []
    for extra in (0, 4):
        encoder = build(name).train()
        for module in encoder.modules():
            if hasattr(module, "dropped"):
                module.dropped = 0
        padded = [torch.nn.functional.pad(t, (0, 0, 0, extra), value=9.0) for t in jets[:2]]
        encoder(*padded, torch.nn.functional.pad(jets.mask, (0, extra))).jet.square().sum().backward()
        gradients.append([parameter.grad for parameter in encoder.parameters()])
    for first, second in zip(*gradients, strict=True):
        torch.testing.assert_close(first, second)


@pytest.mark.parametrize("name", NAMES)
def test_no_dead_parameter(name):
    encoder, jets = build(name).train(), jets_of(name, 5, [7, 3, 1, 9, 6] * 8)
    weight = torch.randn(40, encoder.width, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    (encoder(*jets).jet * weight).sum().backward()
    dead = [name for name, p in encoder.named_parameters() if p.grad is None or not p.grad.abs().max() > 1e-12]
    assert set(dead) == WITHOUT_EFFECT.get(name, set())


@pytest.mark.parametrize("counts", [[1], [1, 1, 1], [1, 2, 1]])
@pytest.mark.parametrize("training", [True, False])
def test_tiny_jets_are_finite(name, encoder, counts, training):
    if training and counts == [1]:
        counts = [1, 1]  # batch norm needs two values
    encoder.train(training)
    encoded = encoder(*jets_of(name, 3, counts))
    encoded.jet.sum().backward()
    assert torch.isfinite(encoded.jet).all()
    assert all(torch.isfinite(p.grad).all() for p in encoder.parameters() if p.grad is not None)


def test_constituents_matter(name, encoder):
    """Every constituent of every jet has a say in its jet vector, and in no other."""
    jets = jets_of(name, 8, [5, 1, 12, 3])
    features = jets.features.clone().requires_grad_()
    jet = encoder(features, jets.momenta, jets.mask).jet
    for i in range(4):
        (gradient,) = torch.autograd.grad(jet[i].square().sum(), features, retain_graph=True)
        felt = gradient.abs().amax(2) > 0
        assert not felt[np.arange(4) != i].any()
        assert not felt[i][~jets.mask[i]].any()
        assert felt[i][jets.mask[i]].float().mean() > 0.5
