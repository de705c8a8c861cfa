"""Parity of the Particle Transformer with weaver-core, which is independent of it."""

import pytest
import torch

from jetssl.config.encoders import ParticleTransformerCard
from jetssl.models.particle_transformer import ParticleTransformer
from tests.helpers.weaver import encoder_state, silent, weaver_class

F, N, CLASSES = 7, 24, 10


@pytest.fixture(scope="module")
def weaver():
    with silent():
        yield weaver_class("part")


def random_jets(counts, dtype, seed=0):
    """Features, massive four-vectors (E, px, py, pz) in GeV, mask."""
    generator = torch.Generator().manual_seed(seed)
    mask = torch.arange(max(counts)) < torch.tensor(counts)[:, None]
    momentum = 20 * torch.randn(*mask.shape, 3, generator=generator, dtype=torch.float64)
    mass = 1 + torch.rand(mask.shape, generator=generator, dtype=torch.float64)
    momenta = torch.cat([(momentum.square().sum(2) + mass**2).sqrt()[..., None], momentum], dim=2)
    features = torch.randn(*mask.shape, F, generator=generator, dtype=torch.float64)
    return (features * mask[..., None]).to(dtype), (momenta * mask[..., None]).to(dtype), mask


def pair_of_networks(weaver, dtype, **options):
    torch.manual_seed(1)
    theirs = weaver(F, num_classes=CLASSES, **options)
    for module in theirs.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    ours = ParticleTransformer(F, ParticleTransformerCard())
    ours.load_state_dict(encoder_state(theirs.state_dict(), ours))
    return theirs.to(dtype), ours.to(dtype)


def logits_of(theirs, ours, jets):
    features, momenta, mask = jets
    expected = theirs(features.transpose(1, 2), momenta[..., [1, 2, 3, 0]].transpose(1, 2), mask[:, None])
    return expected, theirs.fc(ours(*jets).jet)


def gradients(network, logits):
    """By weaver-core's names; the loss is a fixed random projection of the logits."""
    weight = torch.randn(logits.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    (logits * weight.to(logits.dtype)).sum().backward()
    return {name: p.grad for name, p in network.named_parameters() if not name.startswith("fc.")}


@pytest.mark.slow
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-5)])
def test_logits_and_gradients_on_ragged_jets(weaver, dtype, tolerance):
    """Padding is in the batch; evaluation mode, as weaver-core's batch norm of the input would count it."""
    theirs, ours = (network.eval() for network in pair_of_networks(weaver, dtype))
    counts = [N, 1, 2, *torch.randint(3, N, (37,), generator=torch.Generator().manual_seed(4)).tolist()]
    expected, logits = logits_of(theirs, ours, random_jets(counts, dtype))
    torch.testing.assert_close(logits, expected, rtol=tolerance, atol=tolerance)
    compare_gradients(theirs, ours, expected, logits, tolerance)


@pytest.mark.slow
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-5)])
def test_logits_and_gradients_in_training(weaver, dtype, tolerance):
    """Batch statistics, running statistics and all, on full jets and without dropout."""
    none = dict.fromkeys(("dropout", "attn_dropout", "activation_dropout"), 0)
    theirs, ours = (network.train() for network in pair_of_networks(weaver, dtype, block_params=none, trim=False))
    for module in ours.modules():
        if hasattr(module, "dropped"):
            module.dropped = 0
    expected, logits = logits_of(theirs, ours, random_jets([N] * 20, dtype))
    torch.testing.assert_close(logits, expected, rtol=tolerance, atol=tolerance)
    compare_gradients(theirs, ours, expected, logits, tolerance)
    for name, value in encoder_state(theirs.state_dict(), ours).items():
        torch.testing.assert_close(ours.state_dict()[name], value, rtol=tolerance, atol=tolerance)


def compare_gradients(theirs, ours, expected, logits, tolerance):
    """Relative to the largest gradient of each tensor: small entries are sums with rounding of large ones."""
    wanted = encoder_state(gradients(theirs, expected), ours)
    found = gradients(ours, logits)
    assert wanted.keys() == found.keys()
    scale = max(gradient.abs().max() for gradient in wanted.values())
    for name, gradient in wanted.items():
        error = (found[name] - gradient).abs().max() / scale
        assert error < tolerance, f"{name}: {error}"


def test_same_sizes_and_distribution_of_initial_weights(weaver):
    torch.manual_seed(1)
    network = ParticleTransformer(F, ParticleTransformerCard())
    theirs, ours = encoder_state(weaver(F, num_classes=CLASSES).state_dict(), network), network.state_dict()
    assert {name: value.shape for name, value in ours.items()} == {n: v.shape for n, v in theirs.items()}
    for name, value in ours.items():
        if value.is_floating_point() and value.numel() > 1000:
            assert value.std().item() == pytest.approx(theirs[name].std().item(), rel=0.1), name


def test_dropout_is_active_in_training_only():
    jets = random_jets([N] * 8, torch.float32)
    network = ParticleTransformer(F, ParticleTransformerCard(layers=2, class_layers=1))
    assert not torch.equal(network(*jets).jet, network(*jets).jet)
    network.eval()
    assert torch.equal(network(*jets).jet, network(*jets).jet)
