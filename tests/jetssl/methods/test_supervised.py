"""Cross-entropy and accuracy of the classifier."""

import math

import pytest
import torch

from jetssl.config.card import load_card
from jetssl.methods.supervised import Supervised
from resim.common.errors import InputError


@pytest.fixture
def method(card_file):
    return Supervised(load_card(card_file, ["objective={name: supervised}"]), 10, ("a", "b", "c"))


def test_loss_and_accuracy_by_hand(method):
    with torch.no_grad():
        method.classifier.weight.zero_()
        method.classifier.bias.copy_(torch.tensor([math.log(2), 0.0, 0.0]))
    values = method._judge(torch.zeros(4, method.encoder.width), torch.tensor([0, 0, 1, 2]))
    assert values["loss"].item() == pytest.approx(-(2 * math.log(0.5) + 2 * math.log(0.25)) / 4)
    assert values["accuracy"].item() == 0.5
    weights = torch.tensor([1.0, 0.0, 3.0, 0.0])
    values = method._judge(torch.zeros(4, method.encoder.width), torch.tensor([0, 0, 1, 2]), weights)
    assert values["loss"].item() == pytest.approx(-(math.log(0.5) + 3 * math.log(0.25)) / 4)
    nothing = method._judge(torch.zeros(4, method.encoder.width), torch.tensor([0, 0, 1, 2]), torch.zeros(4))
    assert nothing["loss"].item() == 0


def test_initial_weights_come_from_the_seed(card_file):
    def weights(*overrides):
        card = load_card(card_file, ["objective={name: supervised}", *overrides])
        return Supervised(card, 10, ("a", "b")).classifier.weight

    assert torch.equal(weights(), weights())
    assert not torch.equal(weights(), weights("training.seed=2"))


def test_one_class_cannot_be_told_apart(card_file):
    with pytest.raises(InputError, match=r"one class \(a\), a classifier needs two"):
        Supervised(load_card(card_file, ["objective={name: supervised}"]), 10, ("a",))
