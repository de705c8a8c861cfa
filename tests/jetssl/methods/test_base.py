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


def with_gradient(method, value):
    for weights in method.parameters():
        weights.grad = torch.full_like(weights, value)


def test_gradients_are_limited_as_torch_does(method, monkeypatch):
    logged = {}
    monkeypatch.setattr(method, "log", lambda name, value, **_: logged.update({name: float(value)}))
    monkeypatch.setattr(method, "log_dict", lambda values, **_: logged.update(values))
    optimizer = method.configure_optimizers()["optimizer"]
    number = sum(weights.numel() for weights in method.parameters())
    for limit, wanted in ((None, 2.0), (1e9, 2.0), (1.0, number**-0.5)):
        with_gradient(method, 2.0)
        method.configure_gradient_clipping(optimizer, limit)
        assert float(next(method.parameters()).grad.flatten()[0]) == pytest.approx(wanted, rel=1e-5)
        assert logged == {"skipped": 0, "gradient_norm": pytest.approx(2 * number**0.5)}


def test_steps_without_a_finite_gradient_change_nothing_and_end_the_training_at_last(method, monkeypatch):
    """A finite one in between starts the count again."""
    monkeypatch.setattr(method, "log", lambda *_, **__: None)
    monkeypatch.setattr(method, "log_dict", lambda *_, **__: None)
    method._step = method._step._replace(buffers=[buffer.clone() for buffer in method.buffers()])
    optimizer = method.configure_optimizers()["optimizer"]
    before = [weights.detach().clone() for weights in method.parameters()]
    for value in (torch.nan, torch.inf, torch.nan, torch.nan, 0.0, torch.nan, torch.nan, torch.nan, torch.nan):
        with_gradient(method, value)
        method.configure_gradient_clipping(optimizer, 1.0)
        if value != 0:
            optimizer.step()
    assert all(torch.equal(weights, old) for weights, old in zip(method.parameters(), before, strict=True))
    with_gradient(method, torch.nan)
    method._step = method._step._replace(batch_index=6)
    with pytest.raises(
        InputError, match=r"not finite in 5 steps in a row, the last one of batch 7 in epoch 1; lower"
    ):
        method.configure_gradient_clipping(optimizer, 1.0)


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
