"""Masked particle modelling against a slow loop; what is hidden stays hidden."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from jetssl.config.card import load_card
from jetssl.data.masking import hide
from jetssl.data.ragged import Ragged
from jetssl.data.tensors import PairBatch, hidden_batch, to_tensors
from jetssl.methods.mpm import Mpm
from resim.common.errors import InputError
from tests.helpers.toys import ENCODER_OVERRIDES, MPM, make_jets

COUNTS = [9, 4, 1, 14, 6]


def method_of(card_file, *overrides):
    return Mpm(load_card(card_file, ["data.normalize=false", MPM, *overrides]), 10, ("a", "b")).double().eval()


def batch_of(method, counts=COUNTS):
    rng = np.random.default_rng(3)
    jets = make_jets(rng, counts)
    tensors = to_tensors(jets, method.card.data.feature_set)
    hidden = hidden_batch(tensors, hide(jets, method.card.objective, rng), 1)
    tensors = tensors._replace(features=tensors.features.double(), momenta=tensors.momenta.double())
    rows = torch.arange(len(counts))
    return PairBatch(tensors, rows, rows % 2, torch.zeros(len(counts), 2), None, hidden)


@torch.no_grad()
@pytest.mark.parametrize("normalize", ["false", "true"])
def test_losses_are_those_of_a_loop(card_file, normalize):
    method = method_of(card_file, "objective.regression=2", "objective.pid=0.5", f"data.normalize={normalize}")
    batch = batch_of(method)
    mean, spread = torch.zeros(10).double(), torch.ones(10).double()
    if normalize == "true":
        mean, spread = torch.arange(10.0).double(), torch.arange(1.0, 11).double()
        method.encoder.mean.copy_(mean)
        method.encoder.spread.copy_(spread)
    values, jets, hidden = method.losses(batch), batch.jets, batch.hidden
    errors, types = [], []
    for row in range(len(COUNTS)):
        seen = method.encoder(jets.features[[row]], jets.momenta[[row]], hidden.seen[[row]])
        layout = Ragged.of(torch.cat([hidden.seen[[row]], hidden.guessed[[row]]], 1))
        n = jets.mask.shape[1]
        ranks = torch.cat([torch.arange(n), torch.arange(n)])[layout.source]
        marks = torch.cat([torch.log(1.0 + ranks)[:, None], seen.jet.expand(len(ranks), -1)], 1)
        guesses = method.predictor(seen.tokens, marks, layout)[0]
        for i in torch.nonzero(hidden.guessed[row])[:, 0].tolist():
            wanted = ((jets.features[row, i] - mean) / spread)[:5]
            errors.append((method.regression(guesses[i]) - wanted).abs().mean())
            types.append(functional.cross_entropy(method.typing(guesses[i]), jets.features[row, i, 5:].argmax()))
    torch.testing.assert_close(values["regression"], torch.stack(errors).mean(), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(values["pid"], torch.stack(types).mean(), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(values["loss"], 2 * values["regression"] + 0.5 * values["pid"])


@torch.no_grad()
@pytest.mark.parametrize("encoder", ["transformer", "part", "particlenet"])
def test_what_is_hidden_reaches_no_guess(card_file, encoder):
    """Neither features nor momenta: the rank in pT is all that a guess is told."""
    method = method_of(card_file, ENCODER_OVERRIDES[encoder])
    batch = batch_of(method)
    visible = batch.hidden.seen[..., None]

    def guesses(of):
        seen = method.encoder(of.jets.features, of.jets.momenta, of.hidden.seen, of.hidden.seen_layout)
        return method._guess(seen, of)

    jets = batch.jets._replace(
        features=batch.jets.features.where(visible, 7.0), momenta=batch.jets.momenta.where(visible, 1e3)
    )
    wanted = guesses(batch)
    assert torch.equal(guesses(batch._replace(jets=jets)), wanted)
    of_one = wanted[3][batch.hidden.guessed[3]]
    assert (of_one[0] - of_one[1]).abs().max() > 1e-6  # two ranks, two guesses


def test_a_jet_of_one_constituent_guesses_nothing(card_file):
    method = method_of(card_file)
    assert method.losses(batch_of(method, [1, 1]))["loss"] == 0


def test_bad_cards_are_one_line(card_file):
    with pytest.raises(InputError, match=r"data.features kin has no types of particles"):
        load_card(card_file, [MPM, "data.features=kin"])
    with pytest.raises(InputError, match=r"that objective mpm guesses"):
        load_card(card_file, [MPM, "data.inputs=[constituents, vertices]"])
    with pytest.raises(InputError, match=r"nothing is left to learn"):
        load_card(card_file, ["objective={name: mpm, regression: 0, pid: 0}"])


def test_without_types_and_without_features(card_file):
    for overrides in (["data.features=kin", "objective.pid=0"], ["objective.regression=0"]):
        method = method_of(card_file, *overrides)
        values = method.losses(batch_of(method))
        assert len(values) == 2
        assert torch.isfinite(values["loss"])
