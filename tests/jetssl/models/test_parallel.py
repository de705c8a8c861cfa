"""Pieces on several threads: the same results, gradients and random numbers as on one, and as many threads as asked."""

import threading

import pytest
import torch
from torch import nn

from jetssl.common.threads import torch_threads
from jetssl.config.encoders import (
    InteractionNetworkCard,
    LGATrCard,
    LGATrSlimCard,
    LocalFramesCard,
    ParticleTransformerCard,
    Rs3lGnnCard,
    TransformerCard,
)
from jetssl.models.builder import ENCODERS
from jetssl.models.dropout import Dropout
from jetssl.models.parallel import side_by_side

CARDS = [
    TransformerCard(width=8, layers=2, heads=2, dropout=0.2),
    ParticleTransformerCard(width=8, layers=2, heads=2, embedding=(8,), pair_embedding=(4,)),
    Rs3lGnnCard(width=8, layers=2, neighbours=4),
    InteractionNetworkCard(),
    LGATrCard(width=8, layers=1, heads=2, multivectors=2, scalars=4),
    LGATrSlimCard(width=8, layers=1, heads=2, vectors=2, scalars=4),
    LocalFramesCard(width=8, layers=1, heads=2, vectors=1, embedding=(8,), pair_embedding=(4,), frame_hidden=(4,)),
]


class Net(nn.Module):
    """A layer with dropout, and one that nothing reaches."""

    def __init__(self):
        super().__init__()
        self.used, self.unused = nn.Linear(3, 3).double(), nn.Linear(3, 3)
        self.dropout = Dropout(0.5)

    def forward(self, rows, factor):
        return self.dropout(self.used(rows)) * factor, rows.sum(0)


def make_pieces(lengths=(5, 1, 7, 2, 2)):
    generator = torch.Generator().manual_seed(3)
    return [
        (torch.randn(n, 3, generator=generator, dtype=torch.float64, requires_grad=True), float(n)) for n in lengths
    ]


def outcome(threads, use=lambda results: sum((first**2).sum() + second.sum() for first, second in results)):
    """Results, and gradients of inputs and parameters."""
    torch.manual_seed(1)
    net, pieces = Net(), make_pieces()
    with torch_threads(threads):
        results = side_by_side(net, pieces, list(net.parameters()))
        use(results).backward()
    return results, [rows.grad for rows, _ in pieces], [p.grad for p in net.parameters()]


@pytest.mark.parametrize("threads", [2, 3, 9])
def test_threads_change_nothing_but_rounding(threads):
    one, several = outcome(1), outcome(threads)
    for (a, b), (c, d) in zip(one[0], several[0], strict=True):
        assert torch.equal(a, c), "dropout depends on the number of threads"
        assert torch.equal(b, d)
    assert all(torch.equal(a, b) for a, b in zip(one[1], several[1], strict=True))
    assert one[2][2] is None
    assert several[2][2] is None
    torch.testing.assert_close(several[2][:2], one[2][:2])
    again = outcome(threads)
    assert all(torch.equal(a, b) for a, b in zip(several[2][:2], again[2][:2], strict=True))


def test_results_that_lead_nowhere():
    def only_the_second(results):
        return results[2][0].sum()

    one, two = (outcome(threads, only_the_second) for threads in (1, 2))
    for a, b in zip(one[1] + one[2], two[1] + two[2], strict=True):
        assert (a is None) == (b is None) or not (a if b is None else b).any()
        if a is not None and b is not None:
            torch.testing.assert_close(b, a)


def test_every_thread_takes_part():
    """A barrier that only as many callers as threads can pass."""
    barrier = threading.Barrier(3, timeout=60)

    def function(rows):
        barrier.wait()
        assert torch.get_num_threads() == 1
        return (rows,)

    with torch_threads(3):
        side_by_side(function, [(torch.ones(4),)] * 3, [])
        assert torch.get_num_threads() == 3


def test_threads_work_as_the_caller_does():
    seen = []

    def function(rows):
        seen.append((torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu")))
        return (rows @ rows.T,)

    pieces = [(torch.ones(4, 4, requires_grad=True),)] * 2
    with torch_threads(2):
        (first,), _ = side_by_side(function, pieces, [])
        assert first.requires_grad
        with torch.no_grad():
            side_by_side(function, pieces, [])
        with torch.inference_mode():
            (first,), _ = side_by_side(function, pieces, [])
        assert first.is_inference()
        with torch.autocast("cpu", torch.bfloat16):
            (first,), _ = side_by_side(function, pieces, [])
        assert first.dtype == torch.bfloat16
    assert seen[::2] == [(True, False, False), (False, False, False), (False, True, False), (True, False, True)]


def test_short_gradients_do_not_depend_on_timing():
    """Threads that share autocast's cache of weights sum gradients as it comes."""
    torch.manual_seed(1)
    layers = nn.Sequential(*(nn.Linear(32, 32) for _ in range(8)))
    pieces = [(torch.randn(200 + n, 32),) for n in range(8)]

    def gradients():
        layers.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            results = side_by_side(lambda rows: (layers(rows),), pieces, list(layers.parameters()))
        sum(first.float().square().sum() for (first,) in results).backward()
        return torch.cat([p.grad.flatten() for p in layers.parameters()])

    with torch_threads(2):
        first = gradients()
        assert all(torch.equal(first, gradients()) for _ in range(20))


def test_dropout_of_one_inside_another_does_not_depend_on_timing():
    inner, outer = make_pieces((3, 2)), [(torch.ones(4), turn) for turn in (False, True)]
    net = Net()

    def outcome(late):
        gate = threading.Event()

        def function(rows, last):
            if last != late:
                assert gate.wait(60)
            results = side_by_side(net, inner, [])
            gate.set()
            return tuple(first for first, _ in results)

        torch.manual_seed(2)
        with torch_threads(2):
            return side_by_side(function, outer, list(net.parameters()))

    for one, other in zip(outcome(False), outcome(True), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_threads_to_come_have_what_the_process_has():
    seen = []
    with torch_threads(5):
        side_by_side(lambda rows: (rows,), [(torch.ones(4),)] * 5, [])
        fresh = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
        fresh.start()
        fresh.join()
    assert seen == [5]


def test_an_error_comes_out():
    def function(rows, factor):
        raise ValueError(f"{len(rows)} rows")

    with torch_threads(2), pytest.raises(ValueError, match=r"\d rows"):
        side_by_side(function, make_pieces(), [])


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_encoders_on_two_threads(card):
    """Enough jets for four buckets, two for each thread."""
    generator = torch.Generator().manual_seed(4)
    mask = torch.arange(9) < torch.randint(1, 10, (96, 1), generator=generator)
    features = torch.randn(96, 9, 5, generator=generator, dtype=torch.float64)
    momentum = torch.randn(96, 9, 3, generator=generator, dtype=torch.float64)
    momenta = torch.cat([momentum.square().sum(2, keepdim=True).sqrt() + 1, momentum], dim=2)
    outcomes = []
    for threads in (1, 2):
        torch.manual_seed(1)
        encoder = ENCODERS[card.name](5, card).double().train()
        with torch_threads(threads):
            encoded = encoder(features, momenta, mask)
            (encoded.jet.square().sum() + encoded.tokens.sum()).backward()
        outcomes.append((*encoded, *(p.grad for p in encoder.parameters())))
    torch.testing.assert_close(outcomes[1], outcomes[0], rtol=1e-8, atol=1e-8)
