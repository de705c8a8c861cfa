"""The network of the re-simulation talk (on arXiv:2503.11632): a transformer on the cells and tracks of a jet.

The talk states how many parameters each part has (its table 1). They follow from a width of 128, 3 features of a cell
and 5 of a track: layer embedding 6 x 4 = 24; a perceptron of (3 + 4, 128, 128) with 17,536 for cells, one of (5, 128,
128) with 17,280 for tracks; two pre-norm blocks with a hidden size of 128, and a norm, with 199,424. Its output
network (128, 64, 8) with 8,776 is the projector of a card. Not stated, and chosen here: which features these are, the
heads, GELU, and the mean over tokens.

Letters: B jets, N tokens of the longest jet, F features, T tokens of all jets, D model width.
"""

import torch
from torch import nn

from jetssl.config.encoders import ResimTransformerCard
from jetssl.data.features import CELL_LAYERS, CELLS, TRACKS
from jetssl.data.ragged import Bucket, Ragged
from jetssl.models.attention import padding_bias
from jetssl.models.encoder import Encoded, Encoder
from jetssl.models.parallel import over_buckets
from jetssl.models.transformer import TransformerBlock


def perceptron(n_features: int, width: int) -> nn.Sequential:
    """Features to tokens, with one hidden layer of the same width."""
    return nn.Sequential(nn.Linear(n_features, width), nn.GELU(), nn.Linear(width, width))


class CellTrackEmbedding(nn.Module):
    """Tokens of cells and of tracks, each by a perceptron of its own.

    Flags are read as above 0, which is what a normalization leaves of them.
    """

    def __init__(self, card: ResimTransformerCard) -> None:
        super().__init__()
        self.layer_embedding = nn.Linear(len(CELL_LAYERS), card.layer_width, bias=False)
        self.cell_mlp = perceptron(len(CELLS) + card.layer_width, card.width)
        self.track_mlp = perceptron(len(TRACKS), card.width)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """The columns of `jetssl.data.features.CELLS_AND_TRACKS`, `(T, 15)` → `(T, D)`."""
        cell, layer, track, is_track = torch.split(features, [len(CELLS), len(CELL_LAYERS), len(TRACKS), 1], dim=1)
        embedded = self.layer_embedding((layer > 0).to(features.dtype))
        cells = self.cell_mlp(torch.cat([cell, embedded], dim=1))
        return torch.where(is_track > 0, self.track_mlp(track), cells)


class ResimTransformer(Encoder):
    """Embedding, blocks, and the mean token as jet vector.

    Args:
        n_features: F.
        card: sizes, and whether jets are made of cells and tracks or of constituents.
    """

    def __init__(self, n_features: int, card: ResimTransformerCard) -> None:
        super().__init__()
        self.width = card.width
        self.embedding = CellTrackEmbedding(card) if card.cells else perceptron(n_features, card.width)
        self.blocks = nn.ModuleList(TransformerBlock(card) for _ in range(card.layers))
        self.norm = nn.LayerNorm(card.width)

    def encode(self, features: torch.Tensor, momenta: torch.Tensor, ragged: Ragged) -> Encoded:  # noqa: ARG002
        """`(B, N, F)`, `(B, N, 4)` (not used) → tokens `(B, N, D)`, jet `(B, D)`."""
        biases = [padding_bias(bucket) for bucket in ragged.buckets]
        (tokens,) = over_buckets(self._tokens, self, ragged, ragged.flatten(features), biases)
        counts = ragged.restore(ragged.counts[:, None].to(tokens.dtype))
        return Encoded(ragged.pad(tokens), ragged.sum(tokens) / counts)

    def _tokens(self, features: torch.Tensor, bucket: Bucket, bias: torch.Tensor | None) -> tuple[torch.Tensor]:
        """Of a bucket: `(rows, F)`, bias that broadcasts to `(b, 1, 1, n)` → `(rows, D)`."""
        rows = self.embedding(features)
        for block in self.blocks:
            rows = block(rows, bucket, bias)
        return (self.norm(rows),)
