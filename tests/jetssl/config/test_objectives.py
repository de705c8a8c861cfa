"""What an objective says of its loss is what the loss is."""

import pytest
import torch

from jetssl.config.objectives import NtXentCard, SupConCard, SupervisedCard, VicregCard
from jetssl.losses.ntxent import ntxent
from jetssl.losses.supcon import supcon

ROWS, CLASSES = 6, 3


def test_chance_is_the_loss_of_equal_embeddings():
    point = torch.ones(ROWS, 4)
    found = ntxent(point, point, 0.1)
    assert NtXentCard().chance(ROWS, CLASSES) == pytest.approx(found.item())
    labels = torch.arange(ROWS).repeat(2) % CLASSES
    assert SupConCard().chance(ROWS, CLASSES) == pytest.approx(supcon(torch.ones(2 * ROWS, 4), labels, 0.1).item())


def test_chance_is_the_loss_of_equal_probabilities():
    loss = torch.nn.functional.cross_entropy(torch.zeros(ROWS, CLASSES), torch.arange(ROWS) % CLASSES)
    assert SupervisedCard().chance(ROWS, CLASSES) == pytest.approx(loss.item())


def test_no_chance_level_of_vicreg():
    assert VicregCard().chance(ROWS, CLASSES) is None
