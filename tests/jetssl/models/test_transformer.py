import numpy as np
import pytest
import torch
from torch import nn

from jetssl.config.card import Card
from jetssl.config.data import DataCard
from jetssl.config.encoders import TransformerCard
from jetssl.models.builder import build_encoder
from jetssl.models.transformer import Transformer


@pytest.fixture
def encoder():
    return build_encoder(Card(data=DataCard(files=("none",), normalize=False)), seed=1)


def test_multiplicity_is_visible(encoder):
    features = torch.ones(2, 4, 10)
    mask = torch.tensor([[True] * 4, [True] * 2 + [False] * 2])
    jet = encoder(features, torch.ones(2, 4, 4), mask).jet
    assert not torch.allclose(jet[0], jet[1])


def test_seed_fixes_weights_and_leaves_global_state():
    card = Card(data=DataCard(files=("none",), normalize=False))
    before = torch.random.get_rng_state()
    first, again, other = (build_encoder(card, seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["pool.weight"], other["pool.weight"])


def their_layers(ours, card):
    """torch's own encoder with our weights."""
    layer = nn.TransformerEncoderLayer(
        card.width, card.heads, card.expansion * card.width, 0.0, "gelu", batch_first=True, norm_first=True
    )
    theirs = nn.TransformerEncoder(layer, card.layers, norm=nn.LayerNorm(card.width), enable_nested_tensor=False)
    renamed = {"attention.in_proj.": "self_attn.in_proj_", "attention.out_proj.": "self_attn.out_proj."}
    renamed |= {"attention_norm.": "norm1.", "feed_forward.0.": "norm2."}
    renamed |= {"feed_forward.1.": "linear1.", "feed_forward.4.": "linear2.", "blocks.": "layers."}
    state = {}
    for name, value in ours.state_dict().items():
        if name.startswith(("blocks.", "norm.")):
            new = name
            for before, after in renamed.items():
                new = new.replace(before, after)
            state[new] = value
    theirs.load_state_dict(state)
    return theirs


@pytest.mark.parametrize("n_jets", [4, 40])
def test_tokens_equal_torch_encoder(n_jets):
    card = TransformerCard(width=16, layers=2, heads=2)
    torch.manual_seed(1)
    ours = Transformer(5, card).double()
    features = torch.randn(n_jets, 9, 5, dtype=torch.float64)
    mask = torch.arange(9) < torch.randint(1, 10, (n_jets, 1))
    momenta = torch.zeros(n_jets, 9, 4, dtype=torch.float64)
    found = ours(features, momenta, mask).tokens
    theirs = their_layers(ours, card).double()
    wanted = theirs(ours.embedding(features), src_key_padding_mask=~mask)
    torch.testing.assert_close(found, wanted * mask[..., None])


@pytest.fixture
def soft():
    torch.manual_seed(1)
    return Transformer(3, TransformerCard(width=16, layers=2, heads=2, continuous_mask=True))


def with_soft_constituent(pt):
    """A jet of four constituents, and the same with a fifth of the given pT at some place in it."""
    rng = np.random.default_rng(3)
    features, hard = torch.randn(1, 5, 3), torch.from_numpy(rng.uniform(1, 50, (1, 5))).float()
    hard[0, 2] = pt
    momenta = torch.stack([2 * hard, hard, torch.zeros_like(hard), hard], dim=2)
    mask = torch.ones(1, 5, dtype=torch.bool)
    rest = [0, 1, 3, 4]
    return (features, momenta, mask), (features[:, rest], momenta[:, rest], mask[:, rest])


@pytest.mark.parametrize(("pt", "tolerance"), [(0.0, 1e-6), (1e-30, 1e-6), (1e-10, 2e-4)])
def test_soft_constituent_changes_nothing(soft, pt, tolerance):
    jet, without = with_soft_constituent(pt)
    found, wanted = soft(*jet), soft(*without)
    torch.testing.assert_close(found.jet, wanted.jet, rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(found.tokens[:, [0, 1, 3, 4]], wanted.tokens, rtol=tolerance, atol=tolerance)
    found.jet.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in soft.parameters())


def test_hard_constituent_changes_the_jet(soft):
    jet, without = with_soft_constituent(10.0)
    assert not torch.allclose(soft(*jet).jet, soft(*without).jet, atol=1e-3)


def test_plain_mask_is_not_infrared_safe():
    """The reason for the other one."""
    jet, without = with_soft_constituent(0.0)
    torch.manual_seed(1)
    plain = Transformer(3, TransformerCard(width=16, layers=2, heads=2))
    assert not torch.allclose(plain(*jet).jet, plain(*without).jet, atol=1e-3)


def test_scale_of_momenta_does_not_matter(soft):
    (features, momenta, mask), _ = with_soft_constituent(3.0)
    torch.testing.assert_close(soft(features, 600 * momenta, mask).jet, soft(features, momenta, mask).jet)
