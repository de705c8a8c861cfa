"""Names and sizes of weaver-core's networks; that the weights mean the same is tested in `tests/jetssl/exchange`."""

import pytest
import torch
from torch import nn

from jetssl.config.encoders import ParticleNetCard, ParticleTransformerCard, TransformerCard
from jetssl.models.particle_transformer import ParticleTransformer
from jetssl.models.particlenet import ParticleNet
from jetssl.models.weaver import (
    constructor,
    from_weaver,
    hidden_sizes,
    part_card,
    particlenet_card,
    places,
    plain,
    to_weaver,
)
from resim.common.errors import InputError
from tests.helpers.weaver import random_network

PARTICLENET = ParticleNetCard(neighbours=5, channels=((8,), (8, 4, 6)), missing_neighbours="padded")
PART = ParticleTransformerCard(
    width=12, layers=3, heads=2, class_layers=1, expansion=3, embedding=(), pair_embedding=(), pair_activation=True
)


def networks(name, hidden=(9,)):
    ours, card = (ParticleNet, PARTICLENET) if name == "particlenet" else (ParticleTransformer, PART)
    last = card.width if name == "part" else card.channels[-1][-1]
    layers, before = [], last
    for size in hidden:
        layers, before = [*layers, nn.Linear(before, size), nn.ReLU()], size
    classifier = nn.Sequential(*layers, nn.Linear(before, 4)) if hidden else nn.Linear(before, 4)
    return ours(7, card), classifier, random_network(name, constructor(card, 7, hidden, 4))


@pytest.mark.parametrize(
    ("name", "hidden"), [("part", ()), ("part", (9,)), ("particlenet", (9,)), ("particlenet", (9, 5, 3))]
)
def test_places_are_all_tensors_of_weaver_and_no_others(name, hidden):
    encoder, classifier, theirs = networks(name, hidden)
    found = places(encoder, classifier)
    wanted = {key: tuple(value.shape) for key, value in plain(theirs.state_dict()).items()}
    assert {place.name: place.shape for place in found.values()} == wanted
    assert len(found) == len(wanted)


@pytest.mark.parametrize("name", ["particlenet", "part"])
def test_sizes_are_read_from_shapes(name):
    state = plain(networks(name)[2].state_dict())
    card = particlenet_card(state, 5) if name == "particlenet" else part_card(state, pair_activation=True)
    assert card == (PARTICLENET if name == "particlenet" else PART)
    assert hidden_sizes(state) == ([9], 4)


def test_both_directions():
    encoder, classifier, theirs = networks("part")
    found, state = places(encoder, classifier), plain(theirs.state_dict())
    ours = from_weaver(state, found)
    assert encoder.load_state_dict(
        {n.removeprefix("encoder."): v for n, v in ours.items() if n.startswith("encoder.")}
    )
    back = to_weaver(ours, found)
    assert all(torch.equal(back[f"mod.{name}"], value) for name, value in state.items())
    half = {name: value.half() if value.is_floating_point() else value for name, value in state.items()}
    assert all(v.dtype in {torch.float32, torch.int64} for v in from_weaver(half, found).values())


def test_many_names_are_not_all_listed():
    encoder, classifier, _ = networks("part")
    with pytest.raises(InputError, match=r"misses cls_token, embed\.input_bn\.weight, \S+ and \d+ more"):
        from_weaver({}, places(encoder, classifier))


def test_only_networks_that_weaver_has():
    with pytest.raises(InputError, match="encoder 'transformer' is none that weaver-core has"):
        constructor(TransformerCard(), 7, (), 4)
