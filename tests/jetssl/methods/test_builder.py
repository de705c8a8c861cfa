"""Every objective reaches every parameter of every encoder, and of what stands behind it."""

import numpy as np
import pytest
import torch
from lightning.fabric.utilities.apply_func import move_data_to_device

from jetssl.config.card import OBJECTIVE_CARDS, Card
from jetssl.config.objectives import AnomClrCard, HidingCard
from jetssl.config.projectors import PredictorCard, ProjectorCard
from jetssl.data.masking import hide
from jetssl.data.tensors import PairBatch, hidden_batch, to_tensors
from jetssl.methods.averaged import AveragedMethod
from jetssl.methods.builder import METHODS
from jetssl.training.epoch_metrics import COLUMNS
from tests.helpers.toys import ENCODER_CARDS as CARDS
from tests.helpers.toys import WITHOUT_EFFECT, make_jets, toy_data

ROWS = 24
CLASSES = ("a", "b", "c")
ASK_DIFFERENTLY = ("ntxent", "jepa", "mpm", "anomclr")
"""Objectives that ask different things of an encoder; the others do with its vectors what they do with any."""
SMALL = {name: {"predictor": PredictorCard(width=8, layers=1, heads=2)} for name in ("jepa", "mpm")}


def small(objective, encoder):
    """Its section; the features of OmniLearned number the types, where objectives that guess them want columns."""
    card = OBJECTIVE_CARDS[objective]
    without_types = {"pid": 0} if issubclass(card, HidingCard) and encoder == "omnilearned" else {}
    return card(**SMALL.get(objective, {}), **without_types)


def doubled(jets, features):
    tensors = to_tensors(jets, features)
    return tensors._replace(features=tensors.features.double(), momenta=tensors.momenta.double())


def batch_for(method):
    """Two views of each row, or one: other constituents of about as many."""
    rng = np.random.default_rng(4)
    counts = rng.integers(2, 12, ROWS)
    jets = make_jets(rng, np.tile(counts, method.card.objective.jets_per_row).tolist())
    features = method.card.data.features
    tensors = doubled(jets, features)
    objective = method.card.objective
    hides = isinstance(objective, HidingCard)
    return PairBatch(
        tensors,
        torch.arange(ROWS),
        torch.arange(ROWS) % len(CLASSES),
        torch.from_numpy(np.stack([jets.jet_pt, jets.jet_eta], axis=1)),
        hidden=hidden_batch(tensors, hide(jets, objective, rng), objective.jets_per_row) if hides else None,
        anomalous=doubled(make_jets(rng, counts.tolist()), features) if isinstance(objective, AnomClrCard) else None,
    )


def build(encoder, objective, *, batch_norm=False):
    card = Card(
        data=toy_data(encoder),
        encoder=CARDS[encoder],
        projector=ProjectorCard(hidden=(12,), output=6, batch_norm=batch_norm),
        objective=small(objective, encoder),
    )
    return METHODS[objective](card, 10, CLASSES)


def dead_parameters(encoder, objective, *, batch_norm):
    method = build(encoder, objective, batch_norm=batch_norm).double().train()
    torch.manual_seed(2)
    method.losses(batch_for(method))["loss"].backward()
    assert all(torch.isfinite(p.grad).all() for p in method.parameters() if p.grad is not None)
    return {name for name, p in method.named_parameters() if p.grad is None or not p.grad.abs().max() > 1e-12}


def test_all_objectives_are_looked_at():
    assert (
        set(METHODS)
        == set(OBJECTIVE_CARDS)
        == {*("ntxent", "vicreg", "supcon", "sigreg", "supervised", "jepa", "mpm", "dino", "anomclr")}
    )


@pytest.mark.parametrize("objective", list(METHODS))
@pytest.mark.parametrize("encoder", list(CARDS))
def test_no_dead_parameter(encoder, objective):
    """VICReg compares differences only: a common offset of all embeddings is free. Averages do not learn."""
    method = build(encoder, objective)
    learns = "student" if isinstance(method, AveragedMethod) else "encoder"
    wanted = {f"{learns}.{name}" for name in WITHOUT_EFFECT.get(encoder, ())}
    wanted |= {name for name, weights in method.named_parameters() if not weights.requires_grad}
    if objective == "vicreg":
        wanted |= {"projector.2.bias"}
    assert dead_parameters(encoder, objective, batch_norm=False) == wanted


@pytest.mark.parametrize("objective", ["ntxent", "vicreg", "sigreg", "supcon", "anomclr"])
def test_no_dead_parameter_with_batch_norm(objective):
    """It takes offsets before it away: those of the projector's first layer and of the encoder's last norm and map."""
    wanted = {"projector.0.bias", "encoder.pool.bias", "encoder.norm.bias"} | (
        {"projector.3.bias"} if objective == "vicreg" else set()
    )
    assert dead_parameters("transformer", objective, batch_norm=True) == wanted


@pytest.mark.parametrize("objective", list(METHODS))
def test_weights_of_rows_reach_the_loss(objective):
    card = Card(
        data=toy_data("rs3l_gnn"),
        encoder=CARDS["rs3l_gnn"],
        objective=OBJECTIVE_CARDS[objective](),
    )
    method = METHODS[objective](card, 10, CLASSES).double().eval()
    batch = batch_for(method)
    of = {}
    for name, weights in (("none", None), ("equal", torch.ones(ROWS)), ("other", torch.arange(1.0, ROWS + 1))):
        with torch.inference_mode():
            of[name] = method.losses(batch._replace(weights=weights))["loss"].item()
    assert of["none"] == pytest.approx(of["equal"], rel=1e-6)
    assert of["none"] != pytest.approx(of["other"], rel=1e-6)


@pytest.mark.parametrize("objective", list(METHODS))
def test_every_term_of_a_loss_is_a_column_of_the_metrics(objective):
    terms = dict.fromkeys(("variance", "covariance", "sigreg"), 0.5) if objective == "jepa" else {}
    card = Card(
        data=toy_data("transformer"),
        encoder=CARDS["transformer"],
        objective=OBJECTIVE_CARDS[objective](**SMALL.get(objective, {}), **terms),
    )
    method = METHODS[objective](card, 10, CLASSES).double()
    batch = batch_for(method)
    assert card.objective.versions * ROWS == len(batch.jets.mask) + (
        len(batch.anomalous.mask) if batch.anomalous else 0
    )
    losses = method.losses(batch)
    assert losses.keys() >= terms.keys()
    assert losses.keys() <= set(COLUMNS)


@pytest.mark.slow
@pytest.mark.parametrize("encoder", list(CARDS))
def test_a_step_and_a_validation_ask_the_device_nothing(encoder):
    """Torch's `meta` device has shapes but no values: questions, tensors of two devices, shapes by value all raise."""
    for objective in METHODS if encoder == "transformer" else ASK_DIFFERENTLY:
        data = toy_data(encoder, normalize=encoder in {"transformer", "rs3l_gnn", "interaction_network"})
        loss = small(objective, encoder)
        method = METHODS[objective](Card(data=data, encoder=CARDS[encoder], objective=loss), 10, CLASSES)
        batch = batch_for(method)._replace(weights=torch.ones(ROWS))
        batch = move_data_to_device(batch, torch.device("meta"))
        tensors = (*batch.jets[:3], batch.jets.layout.source, batch.labels)
        assert {tensor.device.type for tensor in tensors} == {"meta"}
        method.double().to("meta").train().losses(batch)["loss"].backward()
        method.eval()
        with torch.no_grad():
            assert method.validate(batch)["loss"].device.type == "meta"


@pytest.mark.parametrize("question", ["item", "tolist", "nonzero"])
def test_a_question_would_be_noticed(question):
    with pytest.raises((RuntimeError, NotImplementedError)):
        getattr(torch.ones(1, device="meta"), question)()
