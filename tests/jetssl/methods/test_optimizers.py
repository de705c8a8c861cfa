"""The optimizer of all methods, and the rates of their parts."""

import copy

import pytest
import torch
from torch import nn

from jetssl.common.threads import torch_threads
from jetssl.config.card import load_card
from jetssl.methods.builder import METHODS
from jetssl.methods.optimizers import AdamW
from resim.common.errors import InputError
from tests.helpers.toys import ENCODER_OVERRIDES, JEPA, PART


@pytest.fixture
def networks():
    torch.manual_seed(1)
    first = nn.Linear(300, 200)
    return first, copy.deepcopy(first)


def closure_of(network):
    def closure():
        network.zero_grad()
        loss = network(torch.ones(1, 300)).square().sum()
        loss.backward()
        return loss

    return closure


@pytest.mark.parametrize("threads", [1, 2])
def test_steps_are_those_of_torch(networks, threads):
    """Weights to the bit, with the threads of the caller before and after."""
    ours, theirs = networks
    optimizers = AdamW(ours.parameters(), 1e-3, fused=True), torch.optim.AdamW(theirs.parameters(), 1e-3, fused=True)
    with torch_threads(threads):
        for _ in range(3):
            losses = [o.step(closure_of(n)) for o, n in zip(optimizers, networks, strict=True)]
            assert torch.equal(*losses)
        assert torch.get_num_threads() == threads
    assert torch.equal(ours.weight, theirs.weight)


def rates_of(card_file, *overrides):
    """Learning rate of every parameter that learns, by its name."""
    card = load_card(card_file, ["training.learning_rate=1", *overrides])
    method = METHODS[card.objective.name](card, 10, ("a", "b"))
    groups = method.configure_optimizers()["optimizer"].param_groups
    names = {id(weights): name for name, weights in method.named_parameters()}
    rates = {names[id(weights)]: group["initial_lr"] for group in groups for weights in group["params"]}
    assert len(rates) == sum(weights.requires_grad for weights in method.parameters())
    assert [group["initial_lr"] for group in groups] == sorted({*rates.values()}, reverse=True)
    return rates


@pytest.mark.parametrize("prefix", ["encoder.", "encoder.encoder.", "student.encoder."])
def test_rates_fall_from_layer_to_layer(card_file, prefix):
    """BEiT's numbering: the last of two layers has the factor once, the embedding thrice; also behind a norm."""
    overrides = [
        PART.replace("layers: 1", "layers: 2"),
        f"data.normalize={str('encoder.e' in prefix or 'student' in prefix).lower()}",
    ]
    rates = rates_of(card_file, *overrides, "training.layer_decay=0.5", *([JEPA] if "student" in prefix else []))
    expected = {"embed.embed.0.weight": 1 / 8, "pair_embed.embed.1.weight": 1 / 8, "blocks.0.fc1.bias": 1 / 4}
    expected |= {"blocks.1.fc1.bias": 1 / 2, "cls_blocks.0.fc1.bias": 1, "cls_token": 1, "norm.weight": 1}
    assert {name: rates[prefix + name] for name in expected} == expected
    beside = {rate for name, rate in rates.items() if not name.startswith(prefix)}
    assert beside == {1}


@pytest.mark.parametrize("name", sorted(ENCODER_OVERRIDES))
def test_layers_of_every_encoder(card_file, name):
    overrides = [ENCODER_OVERRIDES[name], "training.layer_decay=0.5"]
    if name == "interaction_network":
        with pytest.raises(InputError, match="layer_decay: this encoder has no layers"):
            rates_of(card_file, *overrides)
    else:
        own = {"particlenet": 2, "resim_transformer": 2, "rs3l_gnn": 3}
        n_layers = own.get(name, 1)
        assert set(rates_of(card_file, *overrides).values()) == {0.5**depth for depth in range(n_layers + 2)}


def test_rates_of_modules(card_file):
    """The longest name counts, and layers decay on top of it."""
    rates = rates_of(card_file, "training.rates={encoder: 0.1, encoder.encoder.pool: 3, projector.0: 2}")
    assert rates["encoder.encoder.blocks.0.attention.in_proj.weight"] == 0.1
    assert rates["encoder.encoder.pool.weight"] == 3
    assert (rates["projector.0.weight"], rates["projector.2.weight"]) == (2, 1)
    both = rates_of(card_file, "training.rates={encoder: 0.1}", "training.layer_decay=0.5")
    assert both["encoder.encoder.blocks.0.attention.in_proj.weight"] == pytest.approx(0.05)


@pytest.mark.parametrize("part", ["head", "encod", "encoder.encoder.blocks.7"])
def test_rates_of_what_is_not_there_are_refused(card_file, part):
    with pytest.raises(InputError, match=f"nothing that learns is part of '{part}'; choose among encoder, projector"):
        rates_of(card_file, f"training.rates={{{part}: 0.1}}")
