"""The interaction network against a loop over pairs."""

import torch

from jetssl.config.encoders import InteractionNetworkCard
from jetssl.models.interaction_network import InteractionNetwork, Messages


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


def test_vertices_send_messages_and_are_not_summed():
    """The particle-vertex network, one pair at a time; the last feature says who is a vertex."""
    torch.manual_seed(3)
    network = InteractionNetwork(4, InteractionNetworkCard(vertices=True)).double()
    features = torch.randn(1, 5, 4, dtype=torch.float64)
    features[..., -1] = torch.tensor([-1.0, -1.0, -1.0, 2.0, 2.0])
    found = network(features, torch.zeros(1, 5, 4), torch.ones(1, 5, dtype=torch.bool))

    def heard(messages, receiver, senders):
        receive, send = messages.from_receiver, messages.from_sender
        first = [receive(features[0, receiver]) + send(features[0, sender]) for sender in senders]
        return sum(messages.rest(torch.relu(each)) for each in first)

    wanted = []
    for i in range(3):
        others = [j for j in range(3) if j != i]
        inputs = [features[0, i], heard(network.messages, i, others), heard(network.from_vertices, i, [3, 4])]
        wanted.append(network.update(torch.cat(inputs)))
    torch.testing.assert_close(found.tokens[0, :3], torch.stack(wanted))
    torch.testing.assert_close(found.jet[0], sum(wanted))
    assert not found.tokens[0, 3:].any()
