"""What DINO compares, and its centre."""

import pytest
import torch
from torch.nn import functional

from jetssl.config.card import load_card
from jetssl.data.tensors import PairBatch, to_tensors
from jetssl.losses.dino import dino, koleo
from jetssl.methods.dino import Dino
from tests.helpers.toys import make_jets


@pytest.fixture
def batch(rng):
    jets = to_tensors(make_jets(rng, [6, 3, 9, 4] * 2), "relative")
    return PairBatch(jets, torch.arange(4), torch.arange(4) % 2, torch.zeros(8, 2))


def method_of(card_file, *overrides):
    return Dino(load_card(card_file, ["objective={name: dino}", *overrides]), 10, ("a", "b"))


def cosines(vectors, prototypes):
    return torch.stack([functional.cosine_similarity(vectors, one[None], dim=1) for one in prototypes.weight], 1)


def test_the_loss_is_that_of_both_views(card_file, batch):
    method = method_of(card_file, "objective.koleo=0.3", "objective.student_temperature=0.2").eval()
    with torch.no_grad():
        for weights in method.student_projector.parameters():
            weights.mul_(1.5)
        found = method.losses(batch)
        vectors = method.student(*batch.jets).jet
        teacher = cosines(method.projector(method.encoder(*batch.jets).jet), method.prototypes)
        student = cosines(method.student_projector(vectors), method.student_prototypes)
        wanted = dino(student, teacher, torch.zeros(256), (0.2, 0.04))
    torch.testing.assert_close(found["distillation"], wanted)
    torch.testing.assert_close(found["loss"], wanted + 0.3 * koleo(vectors[:4]))


def test_the_centre_follows_the_teacher_in_training_alone(card_file, batch):
    method = method_of(card_file, "objective.centre=0.75").train()
    method.losses(batch)
    with torch.no_grad():
        teacher = cosines(method.projector(method.encoder(*batch.jets).jet), method.prototypes)
    torch.testing.assert_close(method.centre, 0.25 * teacher.mean(0))
    before = method.centre.clone()
    method.eval().validate(batch)
    assert torch.equal(method.centre, before)


def test_the_teacher_gets_no_gradient(card_file, batch):
    method = method_of(card_file).train()
    method.losses(batch)["loss"].backward()
    assert all(weights.grad is None for weights in (*method.encoder.parameters(), *method.projector.parameters()))
    assert all(weights.grad is not None for weights in method.student.parameters())
