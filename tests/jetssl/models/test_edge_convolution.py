import logging

import pytest
import torch
from torch import nn

from jetssl.config.encoders import ParticleNetCard
from jetssl.models.edge_convolution import EdgeConvolution, nearest
from jetssl.models.particlenet import ParticleNet, directions
from jetssl.models.ragged import Ragged

COUNTS = [6, 1, 9, 3, 2]


@pytest.fixture
def ragged():
    return Ragged(torch.arange(9) < torch.tensor(COUNTS)[:, None])


def rows(ragged, channels, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(len(ragged.jet), channels, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("with_self", [True, False])
def test_neighbours_equal_a_sorted_list(ragged, with_self):
    points = rows(ragged, 3)
    near = nearest(points, ragged, 4, with_self=with_self)
    for i, jet in enumerate(ragged.jet):
        others = [j for j in range(len(points)) if ragged.jet[j] == jet and (with_self or j != i)]
        wanted = sorted(others, key=lambda j: (points[i] - points[j]).norm())[:4]
        assert near.index[i][near.exists[i]].tolist() == wanted


def test_twins_do_not_take_each_others_place(ragged):
    points = torch.zeros(len(ragged.jet), 2, dtype=torch.float64)
    own = torch.arange(len(points))[:, None]
    without = nearest(points, ragged, 4, with_self=False)
    assert not (without.exists & (without.index == own)).any()
    assert (nearest(points, ragged, 1, with_self=True).index == own).all()


@pytest.mark.parametrize("aggregation", ["mean", "max"])
@pytest.mark.parametrize("channels", [(3, 5), (3, 5, 4)])
@pytest.mark.parametrize("with_self", [True, False])
def test_equals_a_loop_over_edges(ragged, aggregation, channels, with_self):
    """Eq. 8 of arXiv:1801.07829: h(x_i, x_j - x_i), aggregated."""
    torch.manual_seed(3)
    layer = EdgeConvolution(channels, nn.ELU, batch_norm=False, aggregation=aggregation).double()
    values = rows(ragged, 3)
    near = nearest(values, ragged, 4, with_self=with_self)
    found = layer(values, near)
    for i in range(len(values)):
        messages = []
        for j in near.index[i][near.exists[i]]:
            message = torch.cat([values[i], values[j] - values[i]])
            message = layer.rest(layer.first(message))
            messages.append(message)
        reduce = (lambda m: m.mean(0)) if aggregation == "mean" else (lambda m: m.amax(0))
        wanted = reduce(torch.stack(messages)) if messages else torch.zeros(channels[-1], dtype=torch.float64)
        torch.testing.assert_close(found[i], wanted)


def test_batch_norm_counts_existing_edges_only(ragged):
    layer = EdgeConvolution((3, 5), nn.ReLU, batch_norm=True, aggregation="mean").double()
    values = rows(ragged, 3)
    near = nearest(values, ragged, 4, with_self=False)
    layer(values, near)
    edges = [
        layer.first(torch.cat([values[i], values[j] - values[i]]))
        for i in range(len(values))
        for j in near.index[i][near.exists[i]]
    ]
    torch.testing.assert_close(layer.rest[0].running_mean, 0.1 * torch.stack(edges).mean(0))


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
