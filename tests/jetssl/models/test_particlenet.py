"""ParticleNet against that of weaver."""

import pytest
import torch

from jetssl.config.encoders import ParticleNetCard
from jetssl.models.particlenet import ParticleNet, directions
from tests.helpers.weaver import encoder_state, silent, weaver_class


@pytest.mark.parametrize("training", [True, False])
def test_particlenet_equals_weaver(training):
    """Logits and gradients at the published size; full jets, as there padding enters batch norms and neighbours."""
    torch.manual_seed(1)
    blocks = [(16, (64,) * 3), (16, (128,) * 3), (16, (256,) * 3)]
    with silent():
        theirs = weaver_class("particlenet")(7, 10, blocks, [(256, 0.0)], use_fusion=False, trim=False)
    theirs = theirs.double().train(training)
    ours = ParticleNet(7, ParticleNetCard()).double().train(training)
    ours.load_state_dict(encoder_state(theirs.state_dict(), ours))
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
    wanted = encoder_state({name: p.grad for name, p in theirs.named_parameters()}, ours)
    for name, parameter in ours.named_parameters():
        torch.testing.assert_close(parameter.grad, wanted[name], msg=name)
