"""Trainings that no memory could hold are refused before anything is allocated."""

import pytest
import torch

from jetssl.config.card import ENCODER_CARDS, load_card
from jetssl.methods.builder import METHODS
from jetssl.training import memory
from jetssl.training.memory import machine_memory, memory_of, refuse_too_large
from resim.common.errors import InputError

CLASSES = ("a", "b")


@pytest.mark.parametrize("encoder", ENCODER_CARDS)
def test_weights_are_counted_without_being_made(card_file, encoder):
    raw = ["encoder={}", f"encoder.name={encoder}"]
    raw += ["data.inputs=[cells, tracks]"] * (encoder == "resim_transformer")
    if encoder == "omnilearned":
        raw += ["data.features=omnilearned", "data.normalize=false"]
    card = load_card(card_file, raw)
    parts = memory_of(card, CLASSES, 1)
    method = METHODS[card.objective.name](card, 1, CLASSES)
    assert parts["encoder"] == 16 * sum(weights.numel() for weights in method.encoder.parameters())
    assert all(weights.device == torch.device("cpu") for weights in method.parameters())
    assert parts["data.batch_size"] > 0


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("encoder.width=16384", "encoder"),
        ("projector.hidden=[16384, 16384, 16384, 16384, 16384, 16384]", "projector"),
        ("data.batch_size=1000000", "data.batch_size"),
    ],
)
def test_what_does_not_fit_is_refused_with_both_numbers(card_file, override, key, monkeypatch):
    monkeypatch.setattr(memory, "machine_memory", lambda: 16_000_000_000)
    card = load_card(card_file, [override])
    with pytest.raises(InputError, match=rf"{key}: the training takes at least .* GB .* has 16 GB: lower {key}$"):
        refuse_too_large(card, CLASSES, 1)


def test_more_processes_share_a_batch(card_file):
    card = load_card(card_file)
    assert memory_of(card, CLASSES, 4)["data.batch_size"] < memory_of(card, CLASSES, 1)["data.batch_size"]


def test_anomalous_jets_are_encoded_too(card_file):
    """Three jets a row instead of two, and as many similarities as NT-Xent has."""
    of = {
        name: memory_of(load_card(card_file, [f"objective={{name: {name}}}"]), CLASSES, 1)["data.batch_size"]
        for name in ("anomclr", "ntxent", "vicreg")
    }
    assert of["anomclr"] - of["ntxent"] == of["vicreg"] / 2


def test_the_shipped_size_fits_any_machine(card_file):
    refuse_too_large(load_card(card_file), CLASSES, 1)
    assert machine_memory() > 1e9


def test_the_peak_is_that_of_this_process():
    """An array that is filled is in it, and stays in it."""
    filled = torch.ones(10_000_000)
    assert 40_000_000 < memory.peak_memory() < machine_memory()
    del filled
    assert memory.peak_memory() > 40_000_000
