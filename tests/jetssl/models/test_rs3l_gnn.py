"""The graph network of RS3L, which sums over constituents."""

import torch

from jetssl.data.tensors import to_tensors
from jetssl.models.rs3l_gnn import Rs3lGnn
from tests.helpers.toys import ENCODER_CARDS, make_jets


def test_the_jet_is_the_sum_of_its_constituents(rng):
    torch.manual_seed(1)
    jets = to_tensors(make_jets(rng, [5, 1, 9]), "relative")
    encoder = Rs3lGnn(jets.features.shape[2], ENCODER_CARDS["rs3l_gnn"])
    encoded = encoder(*jets)
    assert torch.allclose(encoded.jet, encoded.tokens.sum(1), atol=1e-5)
    assert not encoded.tokens[~jets.mask].any()


def test_momenta_are_not_used(rng):
    torch.manual_seed(1)
    jets = to_tensors(make_jets(rng, [5, 3]), "relative")
    encoder = Rs3lGnn(jets.features.shape[2], ENCODER_CARDS["rs3l_gnn"])
    assert torch.equal(encoder(*jets).jet, encoder(jets.features, 2 * jets.momenta, jets.mask).jet)


def test_equal_constituents_add_up(rng):
    """All neighbours are alike, so a jet of n copies is n times a jet of one."""
    torch.manual_seed(1)
    features = torch.randn(1, 1, 7).expand(1, 6, 7)
    encoder = Rs3lGnn(7, ENCODER_CARDS["rs3l_gnn"])
    one = encoder(features[:, :1], torch.ones(1, 1, 4), torch.ones(1, 1, dtype=torch.bool)).jet
    six = encoder(features, torch.ones(1, 6, 4), torch.ones(1, 6, dtype=torch.bool)).jet
    assert torch.allclose(six, 6 * one, atol=1e-4)
