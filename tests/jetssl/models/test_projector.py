"""The projector."""

import pytest
import torch
from torch import nn

from jetssl.config.projectors import ProjectorCard
from jetssl.models.batch_norm import BatchNorm
from jetssl.models.projector import ACTIVATIONS, Projector
from tests.helpers.toys import normal


def test_layers_are_those_of_the_card():
    card = ProjectorCard(hidden=[5, 6], output=3, batch_norm=True, activation="relu")
    layers = list(Projector(4, card))
    assert [type(layer) for layer in layers] == [
        nn.Linear,
        BatchNorm,
        nn.ReLU,
        nn.Linear,
        BatchNorm,
        nn.ReLU,
        nn.Linear,
    ]
    assert [layer.weight.shape for layer in layers if isinstance(layer, nn.Linear)] == [(5, 4), (6, 5), (3, 6)]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_output_has_no_activation(activation):
    projector = Projector(4, ProjectorCard(hidden=[8], output=2, activation=activation))
    vectors = normal(200, 4)
    assert projector(vectors).shape == (200, 2)
    assert (projector(vectors) < 0).any()
    assert (projector(vectors) > 0).any()


def test_without_hidden_layers_it_is_linear():
    projector = Projector(4, ProjectorCard(hidden=[], output=2))
    one, other = normal(3, 4), normal(3, 4, seed=2)
    bias = projector(torch.zeros(1, 4))
    assert torch.allclose(projector(one + other) - bias, projector(one) + projector(other) - 2 * bias, atol=1e-6)
