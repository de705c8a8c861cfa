"""weaver-core, an implementation that is independent of ours."""

import importlib
import logging
from contextlib import contextmanager

import torch
from torch import nn

from jetssl.config.encoders import ParticleNetCard, ParticleTransformerCard
from jetssl.exchange.weaver_import import WeaverWeights
from jetssl.models.weaver import CLASSES, constructor, places, plain


@contextmanager
def silent():
    """weaver-core says what it builds."""
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def weaver_class(name):
    """Its network by the name of ours."""
    module, _, found = CLASSES[name].rpartition(".")
    with silent():
        return getattr(importlib.import_module(module), found)


class Wrapped(nn.Module):
    """As the networks of its examples are: they put `mod.` before every name."""

    def __init__(self, network):
        super().__init__()
        self.mod = network


def random_network(name, arguments, seed=1):
    """With weights that say something, and batch norms that have seen data."""
    torch.manual_seed(seed)
    with silent():
        network = weaver_class(name)(**arguments).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.running_mean.normal_(std=0.5)
            module.running_var.uniform_(0.5, 2)
    return network


def encoder_state(weights, encoder):
    """Weights, or gradients, of weaver-core by the names of our encoder."""
    known = plain(weights)
    found = places(encoder, nn.Identity())
    return {
        name.removeprefix("encoder."): known[place.name].reshape(place.ours)
        for name, place in found.items()
        if place.name in known
    }


def outputs(network, batch, padding=0):
    """Its logits and pooled vectors for a batch of ours, padded by so many constituents more."""
    features, momenta = (
        nn.functional.pad(x, (0, 0, 0, padding)).transpose(1, 2) for x in (batch.features, batch.momenta)
    )
    mask = nn.functional.pad(batch.mask, (0, padding))[:, None]
    points, p4 = torch.zeros_like(features[:, :2]), momenta[:, [1, 2, 3, 0]]
    points[:, 0] = torch.asinh(momenta[:, 3] / torch.hypot(momenta[:, 1], momenta[:, 2]).clamp(min=1e-30))
    points[:, 1] = torch.atan2(momenta[:, 2], momenta[:, 1])
    first = (points, features) if hasattr(network, "edge_convs") else (features, p4)
    pooled = []
    handle = network.fc.register_forward_pre_hook(lambda _, inputs: pooled.append(inputs[0]))
    with torch.inference_mode():
        logits = network(*first, mask)
    handle.remove()
    return logits, pooled[0]


N_FEATURES = {"kin": 7, "kinpid": 13, "full": 17}
CARDS = {
    "particlenet": ParticleNetCard(neighbours=4, channels=((8, 8), (8,), (12, 16)), missing_neighbours="padded"),
    "part": ParticleTransformerCard(
        width=16, layers=2, heads=4, class_layers=1, expansion=2, embedding=(8,), pair_embedding=(6, 8)
    ),
}
OUTPUTS = ("two_prong", "QCD", "Hbb")


class Bench:
    """Small networks with random weights, saved as its trainings save them, and what asks for their import."""

    def __init__(self, folder):
        self.folder = folder

    def network(self, architecture, features="kin", **changes):
        """Its arguments are those of ours; two hidden layers in the classifier of ParticleNet, none in that of ParT."""
        card = CARDS[architecture].model_copy(update=changes)
        hidden = [12, 8] if architecture == "particlenet" else []
        return random_network(architecture, constructor(card, N_FEATURES[features], hidden, len(OUTPUTS)))

    def save(self, network):
        torch.save(Wrapped(network).state_dict(), self.folder / "weights.pt")
        return self.folder / "weights.pt"

    def ask(self, file, architecture, features="kin", **more):
        return WeaverWeights(file, architecture, features, **{"classes": OUTPUTS, "neighbours": 4, **more})
