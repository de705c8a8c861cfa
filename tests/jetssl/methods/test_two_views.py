"""What the methods on pairs compare."""

import pytest
import torch

from jetssl.config.card import load_card
from jetssl.data.tensors import JetBatch, PairBatch
from jetssl.losses.ntxent import ntxent
from jetssl.losses.supcon import supcon
from jetssl.losses.vicreg import vicreg_terms
from jetssl.methods.two_views import Contrastive, SupCon, Vicreg
from tests.helpers.toys import normal

FIRST, SECOND = normal(6, 4), normal(6, 4, seed=2)
LABELS = torch.tensor([0, 0, 1, 1, 2, 2])
JETS = JetBatch(torch.zeros(12, 1, 10), torch.zeros(12, 1, 4), torch.ones(12, 1).bool())
BATCH = PairBatch(JETS, torch.arange(6), LABELS, torch.zeros(12, 2))


def method(kind, card_file, objective):
    return kind(load_card(card_file, [f"objective={objective}"]), 10, ("a", "b", "c"))


def test_contrastive_has_the_temperature_of_the_card(card_file):
    for temperature in (0.1, 0.5):
        found = method(Contrastive, card_file, f"{{name: ntxent, temperature: {temperature}}}")
        assert torch.equal(found.compare(FIRST, SECOND, BATCH)["loss"], ntxent(FIRST, SECOND, temperature))


def test_vicreg_weights_its_terms(card_file):
    found = method(Vicreg, card_file, "{name: vicreg, invariance: 2, variance: 3, covariance: 5}")
    values, terms = found.compare(FIRST, SECOND, BATCH), vicreg_terms(FIRST, SECOND)
    assert float(values["loss"]) == pytest.approx(
        float(2 * terms.invariance + 3 * terms.variance + 5 * terms.covariance)
    )


def test_supcon_knows_the_classes(card_file):
    found = method(SupCon, card_file, "{name: supcon, temperature: 0.2}")
    wanted = supcon(torch.cat([FIRST, SECOND]), torch.cat([LABELS, LABELS]), 0.2)
    assert torch.equal(found.compare(FIRST, SECOND, BATCH)["loss"], wanted)


def test_the_first_half_of_a_batch_are_the_first_views(card_file):
    found = method(Contrastive, card_file, "{name: ntxent}")
    vectors = normal(12, found.encoder.width)
    first, second = found.project(vectors)
    assert torch.equal(torch.cat([first, second]), found.projector(vectors))
