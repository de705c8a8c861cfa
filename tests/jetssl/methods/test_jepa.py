"""P-JEPA against a slow loop; what is hidden stays hidden; the average; collapse is seen."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from jetssl.config.card import load_card
from jetssl.data.masking import hide
from jetssl.data.tensors import PairBatch, hidden_batch, to_tensors
from jetssl.methods.jepa import Jepa
from jetssl.models.predictor import kinematics
from jetssl.training.epoch_metrics import read_metrics
from jetssl.training.pretrain import pretrain
from jetssl.training.run_folder import RunFolder
from resim.common.errors import InputError
from tests.helpers.toys import ENCODER_OVERRIDES, JEPA, make_jets

COUNTS = [9, 4, 1, 14, 6]


def method_of(card_file, *overrides, total_steps=10):
    return Jepa(load_card(card_file, ["data.normalize=false", JEPA, *overrides]), total_steps, ("a", "b")).double()


def batch_of(method, counts=COUNTS, seed=3):
    views, rng = method.card.objective.jets_per_row, np.random.default_rng(seed)
    jets = make_jets(rng, counts * views)
    tensors = to_tensors(jets, method.card.data.feature_set)
    hidden = hide(jets, method.card.objective, rng)
    tensors = tensors._replace(features=tensors.features.double(), momenta=tensors.momenta.double())
    rows = torch.arange(len(counts))
    return PairBatch(
        tensors, rows, rows % 2, torch.zeros(len(jets.counts), 2), None, hidden_batch(tensors, hidden, views)
    )


@torch.no_grad()
@pytest.mark.parametrize("target", ["same_view", "other_view"])
def test_losses_are_those_of_a_loop(card_file, target):
    method = method_of(card_file, f"objective.target={target}", "objective.particle=2", "objective.pid=0.5").eval()
    batch = batch_of(method)
    values = method.losses(batch)
    jets, n_rows, hidden = batch.jets, len(batch.rows), batch.hidden
    particle, types = [], []
    for row in range(n_rows):
        last = row - n_rows + len(jets.mask)
        whole = method.encoder(jets.features[[last]], jets.momenta[[last]], jets.mask[[last]])
        seen = method.student(jets.features[[row]], jets.momenta[[row]], hidden.seen[[row]])
        both = torch.cat([jets.momenta[[row]], jets.momenta[[last]]], 1)
        layout = type(hidden.seen_layout).of(torch.cat([hidden.seen[[row]], hidden.guessed[[row]]], 1))
        guesses = method.predictor(seen.tokens, kinematics(both, layout), layout)[0]
        for i in torch.nonzero(hidden.guessed[row])[:, 0].tolist():
            wanted = functional.layer_norm(whole.tokens[0, i], (16,))
            particle.append(functional.smooth_l1_loss(guesses[i], wanted))
            one_hot = jets.features[last, i, method._types]
            types.append(functional.cross_entropy(method.typing(guesses[i]), one_hot.argmax()))
    torch.testing.assert_close(values["particle"], torch.stack(particle).mean())
    torch.testing.assert_close(values["pid"], torch.stack(types).mean())
    torch.testing.assert_close(values["loss"], 2 * values["particle"] + values["aggregated"] + 0.5 * values["pid"])


def test_a_jet_of_one_constituent_is_seen_and_guesses_nothing(card_file):
    method = method_of(card_file)
    batch = batch_of(method, [1, 1])
    assert batch.hidden.seen.all()
    values = method.losses(batch)
    assert values["particle"] == values["pid"] == 0
    assert torch.isfinite(values["loss"])


@pytest.mark.parametrize("encoder", ["transformer", "part", "particlenet"])
def test_hidden_constituents_reach_neither_context_nor_guess(card_file, encoder):
    """Their kinematics reach the guess, which has to know what it guesses, but not the guessed jet vector."""
    method = method_of(card_file, ENCODER_OVERRIDES[encoder]).eval()
    batch = batch_of(method)
    target = method.encoder(*batch.jets)
    losses, jets = method._compare(batch, target)
    features = batch.jets.features.where(batch.hidden.seen[..., None], torch.tensor(7.0).double())
    other = batch._replace(jets=batch.jets._replace(features=features))
    changed, same = method._compare(other, target)
    assert torch.equal(jets, same)
    assert losses["particle"] == changed["particle"]
    assert method.losses(other)["particle"] != losses["particle"]  # the target has changed
    momenta = batch.jets.momenta.where(batch.hidden.seen[..., None], batch.jets.momenta * 1.3)
    moved, same = method._compare(batch._replace(jets=batch.jets._replace(momenta=momenta)), target)
    assert torch.equal(jets, same)
    assert moved["particle"] != losses["particle"]


def test_targets_learn_nothing_by_themselves(card_file):
    method = method_of(card_file).train()
    method.losses(batch_of(method))["loss"].backward()
    assert all(weights.grad is None for weights in method.encoder.parameters())
    assert all(weights.grad is not None for weights in method.student.parameters())


def test_guards_are_terms_of_the_loss(card_file):
    plain = method_of(card_file).eval()
    guarded = method_of(
        card_file, *(f"objective.{name}=0.25" for name in ("variance", "covariance", "sigreg"))
    ).eval()
    with torch.no_grad():
        before, after = plain.losses(batch_of(plain)), guarded.losses(batch_of(guarded))
    more = sum(after[name] for name in ("variance", "covariance", "sigreg"))
    assert not {"variance", "covariance", "sigreg"} & set(before)
    torch.testing.assert_close(after["loss"], before["loss"] + 0.25 * more)


@pytest.mark.slow
def test_collapse_is_seen_by_the_monitor_and_prevented_by_the_guard(card_file, tmp_path):
    """With targets that move along at once, equal vectors for all jets are the best."""
    overrides = [JEPA, "objective.pid=0", "objective.average=0", "training.epochs=5", "training.learning_rate=0.03"]
    spread = {}
    for name, guard in (("off", []), ("on", ["objective.variance=1", "objective.covariance=0.05"])):
        run = RunFolder(tmp_path / name)
        pretrain(load_card(card_file, overrides + guard), run, quiet=True)
        last = read_metrics(run.metrics)[-1]
        spread[name] = last["std"], last["predicted_std"]
    assert max(spread["off"]) < 0.1
    assert min(spread["on"]) > 0.3


def test_bad_cards_are_one_line(card_file):
    with pytest.raises(InputError, match=r"objective.pid is 1, data.features kin has no types of particles"):
        load_card(card_file, [JEPA, "data.features=kin"])
    with pytest.raises(InputError, match=r"data.inputs has vertices, which tell of the hidden tracks"):
        load_card(card_file, [JEPA, "data.inputs=[constituents, vertices]"])
    assert load_card(card_file, [JEPA, "data.features=kin", "objective.pid=0"]).objective.pid == 0
    with pytest.raises(InputError, match=r"want the smaller share first"):
        load_card(card_file, [JEPA, "objective.masked=[0.5, 0.3]"])
    with pytest.raises(InputError, match=r"nothing is left to learn"):
        load_card(card_file, [JEPA, "objective={name: jepa, particle: 0, aggregated: 0, pid: 0}"])
