"""A linear head, and its training."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from jetssl.data.tensors import to_tensors
from jetssl.evaluation.classifier import INVERSE_L2, Classifier, Rates, head_loss, linear_probe, logits_of, train
from jetssl.models.transformer import Transformer
from resim.common.errors import InputError
from tests.helpers.toys import ENCODER_CARDS, make_jets


def blobs(rng, n):
    labels = np.arange(n) % 2 == 0
    return (rng.normal(size=(n, 3)) * [1, 10, 0.1] + labels[:, None] * [1.5, 0, 0.1]).astype(np.float32), labels


def test_the_probe_is_scikit_learns_of_the_best_penalty(rng):
    known, labels = blobs(rng, 60)
    other, other_labels = blobs(rng, 200)
    found = linear_probe(known, labels, other, other_labels)
    mean, spread = known.mean(0, dtype=float), known.std(0, dtype=float)
    losses = []
    for strength in INVERSE_L2:
        model = LogisticRegression(C=strength, max_iter=2000).fit((known - mean) / spread, labels)
        p = model.predict_proba((other - mean) / spread)[:, 1]
        losses.append(-np.mean(np.log(np.where(other_labels, p, 1 - p))))
    assert head_loss(found, other, other_labels) == pytest.approx(min(losses), abs=1e-3)


def test_logits_are_the_linear_map(rng):
    head = nn.Linear(3, 1)
    vectors = rng.normal(size=(4, 3)).astype(np.float32)
    wanted = vectors @ head.weight.detach().numpy()[0] + head.bias.item()
    assert logits_of(head, vectors) == pytest.approx(wanted, abs=1e-6)


@pytest.fixture
def model():
    torch.manual_seed(1)
    encoder = Transformer(7, ENCODER_CARDS["transformer"])
    return Classifier(encoder, nn.Linear(encoder.width, 1))


def forever(jets, labels):
    while True:
        yield jets, labels


def test_the_weights_of_the_lowest_validation_loss_are_kept(model, rng):
    jets = to_tensors(make_jets(rng, [4] * 16), "relative")
    model.encoder = Transformer(jets.features.shape[2], ENCODER_CARDS["transformer"])
    labels = (torch.arange(16) % 2).float()
    losses, states = iter([3.0, 1.0, 2.0, 2.5, 2.2, 2.1, 9.0]), []

    def validation_loss():
        states.append({name: value.clone() for name, value in model.state_dict().items()})
        return next(losses)

    train(model, forever(jets, labels), 20, Rates(1e-3, 1e-2), validation_loss)
    assert len(states) == 6  # after four looks without a lower loss it ends
    assert all(torch.equal(value, states[1][name]) for name, value in model.state_dict().items())
    assert not all(torch.equal(value, states[0][name]) for name, value in model.state_dict().items())


def test_a_loss_that_is_not_finite_is_refused(model, rng):
    jets = to_tensors(make_jets(rng, [4] * 8), "relative")
    model.encoder = Transformer(jets.features.shape[2], ENCODER_CARDS["transformer"])
    nan = jets._replace(features=jets.features * torch.nan)
    with pytest.raises(InputError, match="the loss of the fine-tuning is nan"):
        train(model, forever(nan, torch.ones(8)), 5, Rates(1e-3, 1e-3), lambda: 1.0)
