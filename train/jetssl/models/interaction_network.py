"""Interaction network (arXiv:1909.12285): messages between all pairs of constituents.

Letters: B jets, N constituents, F features, b jets of a bucket, n its longest jet of receivers, m its longest set of
senders, M size of a message, D model width.
"""

from itertools import pairwise

import torch
from torch import nn

from jetssl.config.encoders import InteractionNetworkCard
from jetssl.data.ragged import Bucket, Ragged
from jetssl.models.encoder import Encoded, Encoder
from jetssl.models.parallel import over_buckets


def perceptron(sizes: tuple[int, ...]) -> nn.Sequential:
    """Linear layers, a ReLU after each, in place: there are N^2 pairs."""
    return nn.Sequential(*(layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), nn.ReLU(inplace=True))))


class Messages(nn.Module):
    """Sum over senders of a perceptron of (receiver, sender): f_R of the paper, its eq. 1-3.

    Receivers and senders may be two sets, such as constituents and secondary vertices.

    Args:
        receiver: features of a receiver.
        sender: features of a sender.
        hidden: sizes of the hidden layers.
        message: M.
    """

    def __init__(self, receiver: int, sender: int, hidden: tuple[int, ...], message: int) -> None:
        super().__init__()
        # The first layer acts on (receiver, sender): a sum of two linear maps, each of n instead of n^2 vectors.
        self.from_receiver = nn.Linear(receiver, hidden[0])
        self.from_sender = nn.Linear(sender, hidden[0], bias=False)
        self.rest = perceptron((*hidden, message))

    def forward(self, receivers: torch.Tensor, senders: torch.Tensor, speaks: torch.Tensor) -> torch.Tensor:
        """Sums of messages.

        Args:
            receivers: `(b, n, F)`.
            senders: `(b, m, F')`.
            speaks: bool, broadcasts to `(b, n, m)`: whether the sender sends the receiver a message.

        Returns:
            `(b, n, M)`.
        """
        first = self.from_receiver(receivers)[:, :, None] + self.from_sender(senders)[:, None]
        messages: torch.Tensor = self.rest(first.relu_())
        heard = speaks.to(messages.dtype).expand(messages.shape[:3])
        return (heard[:, :, None] @ messages)[:, :, 0]


class InteractionNetwork(Encoder):
    """Messages among constituents, f_O of constituent and messages, and the sum over constituents.

    With secondary vertices, whose last feature alone is above 0, these send messages to the constituents, too
    (the particle-vertex network of the paper); they are neither updated nor summed.

    Args:
        n_features: F.
        card: sizes.
    """

    stack = None

    def __init__(self, n_features: int, card: InteractionNetworkCard) -> None:
        super().__init__()
        self.width = card.width
        self.messages = Messages(n_features, n_features, card.hidden, card.message)
        self.from_vertices = Messages(n_features, n_features, card.hidden, card.message) if card.vertices else None
        n_messages = card.message * (2 if card.vertices else 1)
        self.update = perceptron((n_features + n_messages, *card.hidden, card.width))

    def encode(self, features: torch.Tensor, momenta: torch.Tensor, ragged: Ragged) -> Encoded:  # noqa: ARG002
        """`(B, N, F)`, `(B, N, 4)` (not used) → tokens `(B, N, D)`, jet `(B, D)`."""
        (tokens,) = over_buckets(self._tokens, self, ragged, ragged.flatten(features))
        return Encoded(ragged.pad(tokens), ragged.sum(tokens))

    def _tokens(self, features: torch.Tensor, bucket: Bucket) -> tuple[torch.Tensor]:
        """Of a bucket, with messages from all other constituents of the jet: `(rows, F)` → `(rows, D)`."""
        padded = bucket.pad(features)
        others = ~torch.eye(padded.shape[1], dtype=torch.bool, device=padded.device)
        if self.from_vertices is None:
            received = bucket.flatten(self.messages(padded, padded, bucket.valid[:, None] & others))
            return (self.update(torch.cat([features, received], dim=1)),)
        is_vertex = bucket.valid & (padded[..., -1] > 0)
        speaks = (bucket.valid & ~is_vertex)[:, None]
        messages = [
            self.messages(padded, padded, speaks & others),
            self.from_vertices(padded, padded, is_vertex[:, None]),
        ]
        tokens = self.update(torch.cat([features, *map(bucket.flatten, messages)], dim=1))
        return (tokens * (features[:, -1:] <= 0),)
