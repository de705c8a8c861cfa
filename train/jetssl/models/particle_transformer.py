"""Particle Transformer (arXiv:2202.03772): self-attention biased by features of pairs, then class attention.

Modules carry the names that weaver-core gives them, so that published weights can be read (`jetssl.models.weaver`).
What differs from there: batch norms never see padding (arXiv:2202.03772 does not say whether they should), and no
constituent is trimmed away at random.

Letters: B jets, N constituents, F features, T real constituents of the batch, b jets of a bucket, n its longest jet,
D model width, H heads.
"""

import torch
from torch import nn

from jetssl.config.encoders import ParticleTransformerSection
from jetssl.data.ragged import Bucket, Ragged
from jetssl.models.attention import Attention, padding_bias
from jetssl.models.batch_norm import BatchNorm
from jetssl.models.dropout import Dropout
from jetssl.models.encoder import Encoded, Encoder
from jetssl.models.pair_features import ConstituentPairs, PairEmbedding
from jetssl.models.parallel import Results, over_buckets


class Embedding(nn.Module):
    """Layer norm, linear and GELU for every size; `input_bn` comes before, as it looks at the whole batch.

    Args:
        n_features: F.
        sizes: sizes of the layers; the last is D.
    """

    def __init__(self, n_features: int, sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.input_bn = BatchNorm(n_features)
        layers: list[nn.Module] = []
        for before, after in zip((n_features, *sizes), sizes, strict=False):
            layers += [nn.LayerNorm(before), nn.Linear(before, after), nn.GELU()]
        self.embed = nn.Sequential(*layers)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Normed, `(rows, F)` → `(rows, D)`."""
        embedded: torch.Tensor = self.embed(features)
        return embedded


class NormFormer(nn.Module):
    """Base of both blocks (arXiv:2110.09456): layer norms, and learned scales of heads and skip connection.

    Args:
        width: D.
        heads: H.
        expansion: hidden size of the feed-forward part in units of D.
        dropout: of attention weights, activations and both branches.
    """

    def __init__(self, width: int, heads: int, expansion: int, dropout: float) -> None:
        super().__init__()
        self.pre_attn_norm = nn.LayerNorm(width)
        self.attn = Attention(width, heads, dropout)
        self.post_attn_norm = nn.LayerNorm(width)
        self.pre_fc_norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, expansion * width)
        self.act = nn.GELU()
        self.post_fc_norm = nn.LayerNorm(expansion * width)
        self.fc2 = nn.Linear(expansion * width, width)
        self.dropout = Dropout(dropout)
        self.c_attn = nn.Parameter(torch.ones(heads))
        self.w_resid = nn.Parameter(torch.ones(width))

    def scale(self) -> torch.Tensor:
        """The scale of each head, for each of its D / H columns: `(D,)`."""
        return self.c_attn.repeat_interleave(len(self.w_resid) // len(self.c_attn))

    def finish(self, mixed: torch.Tensor, residual: torch.Tensor) -> torch.Tensor:
        """Everything after the attention, token by token: twice `(..., D)` → `(..., D)`."""
        tokens = self.dropout(self.post_attn_norm(mixed)) + residual
        hidden = self.dropout(self.act(self.fc1(self.pre_fc_norm(tokens))))
        result: torch.Tensor = self.dropout(self.fc2(self.post_fc_norm(hidden))) + self.w_resid * tokens
        return result


class ParticleBlock(NormFormer):
    """Self-attention of the tokens of a jet."""

    def forward(self, rows: torch.Tensor, bucket: Bucket, bias: torch.Tensor | None) -> torch.Tensor:
        """`(T, D)`, bias `(b, H, n, n)` → `(T, D)`."""
        return self.finish(self.attn(self.pre_attn_norm(rows), bucket, bias, self.scale()), rows)


class ClassBlock(NormFormer):
    """Class attention (arXiv:2103.17239): the class token attends to itself and the tokens, which do not change."""

    def forward(self, query: torch.Tensor, rows: torch.Tensor, bucket: Bucket) -> torch.Tensor:
        """Queries `(b, 1, D)`, tokens `(T, D)` → `(b, 1, D)`."""
        bias = padding_bias(bucket, more=1)
        seen = torch.cat([self.pre_attn_norm(query), bucket.pad(self.pre_attn_norm(rows))], dim=1)
        return self.finish(self.attn.summarize(query, seen, bias, self.scale()), query)


class ParticleTransformer(Encoder):
    """Embedding, biased blocks, class blocks; the jet vector is the normed class token.

    Args:
        n_features: F.
        card: sizes.
    """

    def __init__(self, n_features: int, card: ParticleTransformerSection) -> None:
        super().__init__()
        self.width = card.width
        self.embed = self._embedding(n_features, card)
        self.pair_embed = self._pair_embedding(card)
        blocks = [self._block(card) for _ in range(card.layers)]
        self.blocks = nn.ModuleList(blocks)
        class_blocks = [ClassBlock(card.width, card.heads, card.expansion, 0.0) for _ in range(card.class_layers)]
        self.cls_blocks = nn.ModuleList(class_blocks)
        self.norm = nn.LayerNorm(card.width)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, card.width))
        self._initialize(blocks)

    def _embedding(self, n_features: int, card: ParticleTransformerSection) -> Embedding:
        return Embedding(n_features, (*card.embedding, card.width))

    def _pair_embedding(self, card: ParticleTransformerSection) -> PairEmbedding:
        return PairEmbedding(card.pair_embedding, card.heads, activated=card.pair_activation)

    def _block(self, card: ParticleTransformerSection) -> NormFormer:
        return ParticleBlock(card.width, card.heads, card.expansion, card.dropout)

    def encode(self, features: torch.Tensor, momenta: torch.Tensor, ragged: Ragged) -> Encoded:
        """`(B, N, F)`, `(B, N, 4)` → tokens `(B, N, D)`, jet `(B, D)`."""
        rows = self.embed.input_bn(ragged.flatten(features))
        pairs, values = zip(*self.pair_embed(ragged.flatten(momenta), ragged), strict=True)
        tokens, jets = over_buckets(self._encode, self, ragged, rows, pairs, values)
        return Encoded(ragged.pad(tokens), ragged.restore(jets))

    def _encode(
        self,
        features: torch.Tensor,
        bucket: Bucket,
        pairs: ConstituentPairs,
        values: torch.Tensor,
        *more: torch.Tensor,
    ) -> Results:
        """Of a bucket: normed features `(rows, F)`, values of pairs `(P, H)` → tokens `(rows, D)`, jets `(b, D)`.

        `more` is what the blocks read besides.
        """
        rows, bias = self.embed(features), pairs.fill(values)
        for block in self.blocks:
            rows = block(rows, bucket, bias, *more)
        queries = self.cls_token.expand(len(bucket.valid), -1, -1)
        for block in self.cls_blocks:
            queries = block(queries, rows, bucket)
        return self.norm(rows), self.norm(queries)[:, 0]

    def _initialize(self, blocks: list[NormFormer]) -> None:
        """Xavier weights (queries, keys and values apart), zero biases, smaller branches the deeper the block."""
        attentions = [module.in_proj for module in self.modules() if isinstance(module, Attention)]
        in_pairs = set(self.pair_embed.modules())
        for module in self.modules():
            if isinstance(module, nn.Linear) and module not in in_pairs:
                thirds = module.weight.chunk(3) if module in attentions else [module.weight]
                for weight in thirds:
                    nn.init.xavier_uniform_(weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        for depth, block in enumerate(blocks, 1):
            for weight in (block.attn.out_proj.weight, block.fc2.weight):
                weight.data.div_((2 * depth) ** 0.5)
        nn.init.trunc_normal_(self.cls_token, std=0.02)
