"""Encoders on padded jets are the encoders."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from jetssl.data.tensors import to_tensors
from jetssl.exchange.padded import PaddedEncoder
from jetssl.models.builder import ENCODERS
from tests.helpers.encoders import built
from tests.helpers.toys import ENCODER_CARDS, make_jets, toy_data


def test_all_encoders_are_looked_at():
    assert {card.name for card in ENCODER_CARDS.values()} == set(ENCODERS)


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("name", ENCODER_CARDS)
def test_jets_and_tokens_are_those_of_the_encoder(name, normalize):
    """For jets of any length, fewer than the neighbours that are looked for among them; whatever is in the padding."""
    encoder = built(name, normalize=normalize).double()
    before = copy.deepcopy(encoder.state_dict())
    padded = PaddedEncoder(encoder)

    @settings(max_examples=8)
    @given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.integers(0, 100))
    def same(counts, seed):
        batch = to_tensors(make_jets(np.random.default_rng(seed), counts), toy_data(name).features)
        features, momenta, mask = batch.features.double(), batch.momenta.double(), batch.mask
        with torch.inference_mode():
            wanted = encoder(features, momenta, mask)
            filled = features.masked_fill(~mask[..., None], 7.0), momenta.masked_fill(~mask[..., None], 3.0)
            jet, tokens = padded(*filled, mask)
        torch.testing.assert_close(jet, wanted.jet, rtol=1e-9, atol=1e-10)
        torch.testing.assert_close(tokens, wanted.tokens, rtol=1e-9, atol=1e-10)

    same()
    assert all(torch.equal(value, before[key]) for key, value in encoder.state_dict().items())
