"""The encoder on OmniLearned's layers: what is beyond the promises of all encoders and the parity of its import."""

import sys

import numpy as np
import pytest
import torch

from jetssl.config.card import Card
from jetssl.config.data import DataCard
from jetssl.config.encoders import OmniLearnedCard
from jetssl.data.published import OMNILEARNED
from jetssl.data.tensors import to_tensors
from jetssl.models import omnilearned
from jetssl.models.builder import build_encoder
from resim.common.errors import InputError
from tests.helpers.toys import make_jets

F = len(OMNILEARNED)
CARD = OmniLearnedCard(width=8, layers=2, class_layers=1, tokens=2, heads=2, neighbours=4)
EXACT = {"rtol": 1e-9, "atol": 1e-10}


def build(card=CARD):
    data = DataCard(files=(), features="omnilearned", normalize=False)
    return build_encoder(Card(data=data, encoder=card), seed=1).double().eval()


@pytest.fixture
def jets(rng):
    batch = to_tensors(make_jets(rng, [6, 1, 20, 3]), "omnilearned")
    return batch._replace(features=batch.features.double(), momenta=batch.momenta.double())


@pytest.mark.parametrize("interactions", [True, False])
def test_alone_and_in_any_order(interactions, jets):
    """With interactions, too, and for jets so long that torch takes another kernel of attention."""
    encoder = build(CARD.model_copy(update={"interactions": interactions}))
    order = torch.from_numpy(np.random.default_rng(1).permutation(20))
    with torch.no_grad():
        together = encoder(*jets[:3]).jet
        turned = encoder(*(values[:, order] for values in jets[:3])).jet
        alone = [encoder(*(values[i : i + 1, :n] for values in jets[:3])).jet for i, n in enumerate((6, 1, 20, 3))]
    torch.testing.assert_close(turned, together, **EXACT)
    torch.testing.assert_close(torch.cat(alone), together, **EXACT)


def test_weights_learn_with_interactions(jets):
    encoder = build(CARD.model_copy(update={"local_interactions": True})).train()
    encoder(*jets).jet.square().sum().backward()
    gradients = {name: weights.grad for name, weights in encoder.named_parameters()}
    assert all(torch.isfinite(gradient).all() for gradient in gradients.values())
    assert {name for name, gradient in gradients.items() if not gradient.any()} == set()


def test_a_constituent_of_one_gev_is_no_padding(jets):
    """Its log pT is 0, which the package takes for padding; a jet of such alone would have no vector."""
    at = OMNILEARNED.index("log_pt")
    near, exact = jets.features.clone(), jets.features.clone()
    near[1, 0, at], exact[1, 0, at] = 1e-12, 0.0
    encoder = build()
    with torch.no_grad():
        of = [encoder(features, jets.momenta, jets.mask).jet for features in (near, exact)]
    assert torch.isfinite(of[1]).all()
    torch.testing.assert_close(of[1], of[0], **EXACT)


@pytest.mark.parametrize(("what", "columns"), [("types", [4]), ("displacements", [5, 6, 7, 8])])
def test_what_is_not_read(what, columns, jets):
    changed = jets.features.clone()
    changed[..., columns] = 1.0
    with_it, without = (build(CARD.model_copy(update={what: value})) for value in (9, 0))
    with torch.no_grad():
        differences = [
            (e(changed, jets.momenta, jets.mask).jet - e(*jets[:3]).jet).abs().max() for e in (with_it, without)
        ]
    assert differences[0] > 1e-4
    assert differences[1] == 0


def test_layers_of_body_and_classifier_follow_each_other():
    depths = build().depths()
    assert depths["body.token"] == depths["body.embed.norm.alpha"] == depths["body.local_physics.mlp.fc1.weight"] == 4
    assert depths["body.in_blocks.0.norm1.alpha"] == 3
    assert depths["body.in_blocks.1.norm1.alpha"] == depths["body.norm.alpha"] == 2
    assert depths["blocks.0.norm.alpha"] == 1


@pytest.mark.parametrize("data", [{"features": "omnilearned"}, {"features": "relative", "normalize": False}])
def test_other_features_are_refused(data):
    with pytest.raises(ValueError, match=r"set them to omnilearned and false"):
        Card(data=DataCard(files=(), **data), encoder=CARD)


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "omnilearned", None)
    with pytest.raises(InputError, match=r"encoder omnilearned needs omnilearned.*; install the extra `omnilearned`"):
        omnilearned.OmniLearned(F, CARD)


def test_what_the_classifier_has_behind_the_tokens():
    """A perceptron with one hidden layer, and a linear map."""
    head = omnilearned.perceptron(CARD, 3)
    assert head(torch.ones(5, 16)).shape == (5, 3)
    assert sum(weights.numel() for weights in head.parameters()) == (16 * 32 + 32) + (1 + 32) + (32 * 16 + 16) + 51
