"""What all methods share."""

import pytest
import torch

from jetssl.config.card import load_card
from jetssl.methods.two_views import Contrastive
from jetssl.models import checkpoints
from resim.common.errors import InputError


@pytest.fixture
def method(card_file):
    return Contrastive(load_card(card_file), 10, ("a", "b"))


def test_initial_weights_depend_on_the_seed_alone(card_file):
    def state(*overrides):
        torch.manual_seed(torch.seed() % 1000)
        return torch.cat(
            [p.flatten() for p in Contrastive(load_card(card_file, [*overrides]), 10, ("a",)).parameters()]
        )

    assert torch.equal(state(), state("training.epochs=9"))
    assert not torch.equal(state(), state("training.seed=2"))


def test_a_loss_that_is_not_finite_stops_the_training(method, monkeypatch):
    monkeypatch.setattr(method, "losses", lambda _: {"loss": torch.tensor(torch.nan)})
    with pytest.raises(InputError, match=r"the loss is nan in epoch 1; lower training\.learning_rate \(0\.001\)"):
        method.training_step(None, 0)


def test_dropout_has_its_address(method, monkeypatch):
    monkeypatch.setattr(method, "losses", lambda _: {"loss": torch.rand(())})
    monkeypatch.setattr(method, "log_dict", lambda *_, **__: None)
    batch = type("Batch", (), {"rows": [1]})
    before = torch.random.get_rng_state()
    losses = [float(method.training_step(batch, index)) for index in (0, 1, 0)]
    assert losses[0] == losses[2] != losses[1]
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_rate_rises_and_falls(method):
    found = method.configure_optimizers()
    optimizer, schedule = found["optimizer"], found["lr_scheduler"]["scheduler"]
    rates = []
    for _ in range(10):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert max(rates) == pytest.approx(1e-3)
    assert rates[-1] < rates[len(rates) // 2] < max(rates)


def test_checkpoints_say_what_they_are(method):
    checkpoint = {}
    method.on_save_checkpoint(checkpoint)
    assert checkpoint[checkpoints.KEY] == checkpoints.description(method.card, ("a", "b"))


def test_what_is_kept_lasts_an_epoch(method):
    method.keep(vectors=torch.zeros(2, 3))
    method.on_validation_epoch_start()
    assert not method._held_out
