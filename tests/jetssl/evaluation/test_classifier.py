"""An encoder with a head, and its training."""

import pytest
import torch
from torch import nn

from jetssl.data.tensors import to_tensors
from jetssl.evaluation import classifier as module
from jetssl.evaluation.classifier import Classifier, Projected, Rates, train
from jetssl.models.transformer import Transformer
from resim.common.errors import InputError
from tests.helpers.toys import ENCODER_CARDS, make_jets


@pytest.fixture
def model():
    torch.manual_seed(1)
    encoder = Transformer(10, ENCODER_CARDS["transformer"])
    return Classifier(Projected(encoder, nn.Identity()), nn.Linear(encoder.width, 1))


def forever(jets, labels):
    while True:
        yield tuple(jets), labels


def test_the_weights_of_the_lowest_validation_loss_are_kept(model, rng):
    jets = to_tensors(make_jets(rng, [4] * 16), "relative")
    labels = torch.arange(16) % 2
    losses, states = iter([3.0, 1.0, 2.0, 2.5, 2.2, 2.1, 9.0]), []

    def validation_loss():
        states.append({name: value.clone() for name, value in model.state_dict().items()})
        return next(losses)

    train(model, forever(jets, labels), 20, Rates(1e-3, 1e-2), validation_loss)
    assert len(states) == 6  # after four looks without a lower loss it ends
    assert all(torch.equal(value, states[1][name]) for name, value in model.state_dict().items())
    assert not all(torch.equal(value, states[0][name]) for name, value in model.state_dict().items())


def test_rates_fall_from_layer_to_layer(model):
    """The head has its own; of two layers, the last has the factor once, the embedding thrice."""
    groups = module._optimizer(model, Rates(1e-2, 1.0, layer_decay=0.5)).param_groups
    names = {id(weights): name for name, weights in model.named_parameters()}
    rates = {names[id(weights)]: group["lr"] for group in groups for weights in group["params"]}
    assert len(rates) == len(names)
    of = {name.removeprefix("encoder.encoder."): rate for name, rate in rates.items()}
    assert of["head.weight"] == 1.0
    assert of["pool.weight"] == 1e-2
    for part, rate in (("blocks.1", 5e-3), ("blocks.0", 2.5e-3), ("embedding", 1.25e-3)):
        assert {value for name, value in of.items() if name.startswith(part)} == {rate}


def test_a_loss_that_is_not_finite_is_refused(model, rng):
    jets = to_tensors(make_jets(rng, [4] * 8), "relative")
    nan = jets._replace(features=jets.features * torch.nan)
    with pytest.raises(InputError, match="the loss of the fine-tuning is nan"):
        train(model, forever(nan, torch.ones(8, dtype=torch.int64)), 5, Rates(1e-3, 1e-3), lambda: 1.0)
