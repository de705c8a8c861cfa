"""Lorentz transformations and jets on which symmetries are tried."""

import numpy as np
import torch

from jetssl.data.tensors import JetBatch, to_tensors
from tests.helpers.toys import make_jets

BROKEN = 1e-4
"""A jet vector moves at least so much where a symmetry is broken."""
X, Z = 1, 3


def boost(axis, rapidity=0.7):
    matrix = torch.eye(4, dtype=torch.float64)
    matrix[0, 0] = matrix[axis, axis] = np.cosh(rapidity)
    matrix[0, axis] = matrix[axis, 0] = np.sinh(rapidity)
    return matrix


def rotation(axis, angle=0.7):
    matrix = torch.eye(4, dtype=torch.float64)
    i, j = (other for other in (1, 2, 3) if other != axis)
    matrix[i, i] = matrix[j, j] = np.cos(angle)
    matrix[i, j], matrix[j, i] = -np.sin(angle), np.sin(angle)
    return matrix


MOVES = {
    "boost along the beam": boost(Z),
    "rotation about the beam": rotation(Z),
    "boost along the jet": boost(X),
    "rotation about the jet": rotation(X),
}


def any_move():
    return boost(1) @ rotation(2, 1.1) @ boost(3, -0.4) @ rotation(1, 2.0)


def pions(counts) -> JetBatch:
    """Jets of given numbers of constituents, exactly on the shell of a pion; features `scalars`, double precision."""
    batch = to_tensors(make_jets(np.random.default_rng(5), counts), "scalars")
    momentum = batch.momenta[..., 1:].double()
    energy = (momentum.square().sum(2) + 0.14**2).sqrt()
    momenta = torch.cat([energy[..., None], momentum], dim=2) * batch.mask[..., None]
    return batch._replace(features=batch.features.double(), momenta=momenta)


def shift(encoder, jets, move):
    """How much a transformation changes jet vectors, at most."""
    with torch.no_grad():
        before, after = (encoder(jets.features, p, jets.mask).jet for p in (jets.momenta, jets.momenta @ move.T))
    assert before.std(0).min() > 1e-3, "a vector that is always the same has every symmetry"
    return (after - before).abs().max().item()
