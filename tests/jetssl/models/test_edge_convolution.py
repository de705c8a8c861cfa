import pytest
import torch
from torch import nn

from jetssl.data.ragged import Ragged
from jetssl.models.edge_convolution import EdgeConvolution, nearest

COUNTS = [6, 1, 9, 3, 2]


@pytest.fixture
def ragged():
    return Ragged.of(torch.arange(9) < torch.tensor(COUNTS)[:, None])


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
@pytest.mark.parametrize(("with_self", "padded"), [(True, False), (False, False), (False, True)])
def test_equals_a_loop_over_edges(ragged, aggregation, channels, with_self, padded):
    """Eq. 8 of arXiv:1801.07829: h(x_i, x_j - x_i), aggregated; x_j is 0 for a missing one that counts."""
    torch.manual_seed(3)
    layer = EdgeConvolution(channels, nn.ELU, batch_norm=False, aggregation=aggregation, padded=padded).double()
    values = rows(ragged, 3)
    near = nearest(values, ragged, 4, with_self=with_self)
    found = layer(values, near)
    for i in range(len(values)):
        messages = []
        missing = [torch.zeros(3, dtype=torch.float64)] * int(padded * (~near.exists[i]).sum())
        for other in [*values[near.index[i][near.exists[i]]], *missing]:
            message = torch.cat([values[i], other - values[i]])
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
