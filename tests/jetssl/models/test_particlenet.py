"""ParticleNet against that of weaver."""

import logging

import pytest
import torch

from jetssl.config.encoders import ParticleNetCard
from jetssl.models.particlenet import ParticleNet, directions


def our_names(weights):
    """Names of our blocks for the weights of weaver-core's ParticleNet."""
    state = {}
    for name, value in weights.items():
        if name.startswith("fc."):
            continue
        new = name.replace("bn_fts", "input_norm").replace("edge_convs", "blocks")
        new = new.replace(".convs.0.", ".messages.first.")
        for layer in range(3):  # batch norm, ReLU, linear, batch norm, ReLU, ...
            new = new.replace(f".convs.{layer}.", f".messages.rest.{3 * layer - 1}.")
            new = new.replace(f".bns.{layer}.", f".messages.rest.{3 * layer}.")
        new = new.replace(".sc_bn.", ".shortcut.1.").replace(".sc.", ".shortcut.0.")
        state[new] = value.flatten(2).squeeze(2) if value.dim() > 2 else value
    return state


@pytest.mark.parametrize("training", [True, False])
def test_particlenet_equals_weaver(training):
    """Logits and gradients at the published size; full jets, as there padding enters batch norms and neighbours."""
    logging.disable(logging.INFO)
    import weaver.nn.model.ParticleNet

    torch.manual_seed(1)
    blocks = [(16, (64,) * 3), (16, (128,) * 3), (16, (256,) * 3)]
    theirs = (
        weaver.nn.model.ParticleNet.ParticleNet(7, 10, blocks, [(256, 0.0)], use_fusion=False, trim=False)
        .double()
        .train(training)
    )
    logging.disable(logging.NOTSET)
    ours = ParticleNet(7, ParticleNetCard()).double().train(training)
    ours.load_state_dict(our_names(theirs.state_dict()))
    generator = torch.Generator().manual_seed(2)
    features = torch.randn(6, 20, 7, generator=generator, dtype=torch.float64)
    momentum = 0.3 * torch.randn(6, 20, 3, generator=generator, dtype=torch.float64) + torch.eye(3)[0]
    momenta = torch.cat([momentum.norm(dim=2, keepdim=True), momentum], dim=2)
    mask = torch.ones(6, 20, dtype=torch.bool)
    points = directions(momenta.flatten(0, 1)).view(6, 20, 2)
    expected = theirs(points.transpose(1, 2), features.transpose(1, 2), mask[:, None])
    logits = theirs.fc(ours(features, momenta, mask).jet)
    torch.testing.assert_close(logits, expected)
    for output in (expected, logits):
        output.square().sum().backward()
    wanted = our_names({name: p.grad for name, p in theirs.named_parameters()})
    for name, parameter in ours.named_parameters():
        torch.testing.assert_close(parameter.grad, wanted[name], msg=name)
