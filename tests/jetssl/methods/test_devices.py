"""No step asks the device a question: on torch's `meta` device, which has shapes but no values, each one would raise.

So would tensors of two devices in one operation, and shapes that depend on values.
"""

import pytest
import torch
from lightning.fabric.utilities.apply_func import move_data_to_device

from jetssl.config.card import Card
from jetssl.config.data import DataCard
from jetssl.config.objectives import NtXentCard, SupConCard, SupervisedCard, VicregCard
from jetssl.data.tensors import PairBatch, to_tensors
from jetssl.methods.builder import METHODS
from tests.helpers.toys import ENCODER_CARDS, make_jets

OBJECTIVES = {card.name: card for card in (NtXentCard(), VicregCard(), SupConCard(), SupervisedCard())}
COUNTS = [7, 3, 1, 9, 6, 2] * 16


@pytest.fixture
def pairs(rng):
    return batch_of(rng, n_rows=len(COUNTS) // 2)


def batch_of(rng, n_rows):
    jets, labels = to_tensors(make_jets(rng, COUNTS), "relative"), torch.arange(n_rows) % 2
    return PairBatch(jets, torch.arange(n_rows), labels, torch.rand(len(COUNTS), 2), torch.ones(n_rows))


def method_of(encoder, objective):
    data = DataCard(files=("none",), normalize=encoder in {"transformer", "rs3l_gnn", "interaction_network"})
    card = Card(data=data, encoder=ENCODER_CARDS[encoder], objective=OBJECTIVES[objective])
    return METHODS[objective](card, 10, ("a", "b"))


@pytest.mark.parametrize("encoder", list(ENCODER_CARDS))
def test_a_step_and_a_validation_leave_the_device_alone(encoder, rng):
    for objective in OBJECTIVES:
        method = method_of(encoder, objective).to("meta")
        n_rows = len(COUNTS) if objective == "supervised" else len(COUNTS) // 2
        batch = move_data_to_device(batch_of(rng, n_rows), torch.device("meta"))
        assert {tensor.device.type for tensor in (*batch.jets[:3], batch.jets.layout.source, batch.labels)} == {
            "meta"
        }
        method.train()
        loss = method.losses(batch)["loss"]
        loss.backward()
        assert all(p.grad is None or p.grad.device.type == "meta" for p in method.parameters())
        method.eval()
        with torch.no_grad():
            assert method.validate(batch)["loss"].device.type == "meta"


@pytest.mark.parametrize("question", ["item", "tolist", "nonzero"])
def test_a_question_would_be_noticed(question):
    with pytest.raises((RuntimeError, NotImplementedError)):
        getattr(torch.ones(3, device="meta").sum(0, keepdim=True), question)()


def test_a_layout_on_another_device_is_the_same(pairs):
    layout = pairs.jets.layout.to("cpu")
    encoder = method_of("part", "ntxent").encoder.eval()
    given, worked_out = encoder(*pairs.jets[:3], layout).jet, encoder(*pairs.jets[:3]).jet
    assert torch.equal(given, worked_out)
