"""Ragged batches, dropout, the interaction network's messages: what the encoders are made of."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from jetssl.config.encoders import InteractionNetworkCard
from jetssl.models.dropout import Dropout
from jetssl.models.interaction_network import InteractionNetwork, Messages
from jetssl.models.ragged import Ragged


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=200), st.integers(0, 1000))
def test_rows_go_out_and_back(counts, seed):
    rng = np.random.default_rng(seed)
    mask = torch.from_numpy(rng.permuted(np.arange(9) < np.array(counts)[:, None], axis=1))
    values = torch.from_numpy(rng.normal(size=(*mask.shape, 2))) * mask[..., None]
    ragged = Ragged(mask)
    rows = ragged.flatten(values)
    assert torch.equal(ragged.pad(rows), values)
    torch.testing.assert_close(ragged.sum(rows), values.sum(1))
    pieces = ragged.split(rows)
    padded = [bucket.pad(piece) for bucket, piece in zip(ragged.buckets, pieces, strict=True)]
    for bucket, piece, filled in zip(ragged.buckets, pieces, padded, strict=True):
        assert torch.equal(bucket.flatten(filled), piece)
        assert filled.shape[1] == bucket.valid.sum(1).max()
        assert (filled[~bucket.valid] == 0).all()
    sums = torch.cat([filled.sum(1) for filled in padded])
    torch.testing.assert_close(ragged.restore(sums), values.sum(1))


def test_parts_save_padding():
    counts = torch.arange(1, 129).repeat(2)
    ragged = Ragged(torch.arange(128) < counts[:, None])
    assert len(ragged.buckets) == 8
    assert sum(bucket.valid.numel() for bucket in ragged.buckets) < 1.2 * counts.sum()
    rows = [len(bucket.inside) for bucket in ragged.buckets]
    assert max(rows) - min(rows) <= 2 * 128
    assert ragged.starts == [0, *np.cumsum(rows)[:-1]]


def test_dropout_frequency_scale_and_independence():
    torch.manual_seed(5)
    values = torch.ones(400_003)
    dropped = Dropout(0.1)(values).view(-1)
    zero = dropped == 0
    assert zero.float().mean().item() == pytest.approx(0.1, abs=0.002)
    assert torch.unique(dropped[~zero]).tolist() == pytest.approx([1 / 0.9], rel=1e-4)
    for lane in range(4):
        assert zero[lane::4].float().mean().item() == pytest.approx(0.1, abs=0.004)
    for shift in (1, 2, 3, 4):  # four elements share a random word
        assert (zero[shift:] & zero[:-shift]).float().mean().item() == pytest.approx(0.01, abs=0.001)


def test_dropout_gradient_is_its_factor():
    values = torch.randn(7, 3, requires_grad=True)
    torch.manual_seed(1)
    Dropout(0.5)(values).sum().backward()
    assert set(values.grad.flatten().tolist()) == {0.0, 2.0}


def test_dropout_rests():
    values = torch.ones(10)
    assert torch.equal(Dropout(0.5).eval()(values), values)
    assert torch.equal(Dropout(0.0)(values), values)


def test_interaction_network_equals_a_loop():
    """Sec. 4 of arXiv:1909.12285, one pair at a time."""
    torch.manual_seed(2)
    network = InteractionNetwork(3, InteractionNetworkCard()).double()
    features = torch.randn(1, 4, 3, dtype=torch.float64)
    mask = torch.ones(1, 4, dtype=torch.bool)
    messages = network.messages
    first = torch.cat([messages.from_receiver.weight, messages.from_sender.weight], dim=1)

    def relation(receiver, sender):
        pair = torch.cat([features[0, receiver], features[0, sender]])
        return messages.rest(torch.relu(first @ pair + messages.from_receiver.bias))

    outputs = [
        network.update(torch.cat([features[0, i], sum(relation(i, j) for j in range(4) if j != i)])) for i in range(4)
    ]
    found = network(features, torch.zeros(1, 4, 4), mask)
    torch.testing.assert_close(found.tokens[0], torch.stack(outputs))
    torch.testing.assert_close(found.jet[0], sum(outputs))


def test_messages_from_a_second_set():
    """Secondary vertices, say, with features of their own."""
    torch.manual_seed(2)
    messages = Messages(receiver=3, sender=5, hidden=(6, 4), message=2)
    constituents, vertices = torch.randn(2, 4, 3), torch.randn(2, 3, 5)
    exists = torch.tensor([[True, True, False], [False] * 3])
    heard = messages(constituents, vertices, exists[:, None])
    assert heard.shape == (2, 4, 2)
    assert (heard[1] == 0).all()
    torch.testing.assert_close(heard[:1], messages(constituents[:1], vertices[:1, :2], torch.ones(1, 1, 2)))
