"""Random jets that two programs are compared on."""

import torch

from jetssl.exchange.example import random_jets


def test_jets_are_padded_and_physical():
    """Massless constituents within the jet; nothing outside the mask; the same ones again from the same seed."""
    batch = random_jets((3, 1, 17), 5, seed=4)
    assert batch.features.shape == (3, 17, 5)
    assert batch.mask.sum(1).tolist() == [3, 1, 17]
    assert not batch.features[~batch.mask].any()
    assert not batch.momenta[~batch.mask].any()
    energy, *momentum = batch.momenta[batch.mask].double().unbind(1)
    torch.testing.assert_close(energy**2, sum(p**2 for p in momentum), rtol=1e-5, atol=0)
    again, other = random_jets((3, 1, 17), 5, seed=4), random_jets((3, 1, 17), 5, seed=5)
    assert torch.equal(batch.features, again.features)
    assert not torch.equal(batch.features, other.features)
