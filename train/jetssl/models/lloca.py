"""LLoCa (arXiv:2505.20280, 2508.14898): the Particle Transformer, each constituent in a frame of its own.

A small network weighs sums of momenta of two constituents with Lorentz scalars; three weighted sums are a frame. What
the transformer reads are components in these frames, which no Lorentz transformation changes if spurions are off.
Some channels of an attention head are vectors, turned from the frame of the sender into that of the receiver.

Written here and not taken from the package `lloca`, which tests compare it with: that draws from the global random
state in every call where vectors are parallel, keeps a mean and a spread of the first batch in the network, which a
network on `meta` and several processes have not, and wants torch-geometric to be installed. Here an axis that nothing
defines is 0 (`jetssl.models.minkowski`), masses of pairs have a fixed scale, and buckets are padded a little.

Letters: B jets, N constituents, F features, R spurions, V vectors of a head, D model width, H heads, b jets of a
bucket, n its longest jet, m = n + R.
"""

from functools import partial
from itertools import pairwise
from typing import Final, cast

import torch
from torch import nn
from torch.nn import functional

from jetssl.common.precision import no_autocast
from jetssl.config.encoders import LocalFramesCard, ParticleTransformerSection
from jetssl.data.ragged import Bucket, Ragged
from jetssl.models.attention import Attention
from jetssl.models.encoder import Encoded
from jetssl.models.minkowski import MASSLESS, in_units, inner, inverse, local_frames, lowered, rest_boost, spurions
from jetssl.models.pair_features import PairEmbedding
from jetssl.models.parallel import Results, over_buckets
from jetssl.models.particle_transformer import Embedding, NormFormer, ParticleTransformer

SMALLEST_MASS: Final = 0.14
"""GeV, that of a pion, floor under the mass of two constituents: in single precision, 0.03 at 100 GeV is noise."""
LOG_MASS_SCALE: Final = 2.2
"""Spread of ln (m/GeV)^2 of two constituents, whose mean is near 0: 2,000 jets at 500 GeV, 3.6 M pairs."""


class FrameNetwork(nn.Module):
    """Frames of constituents: sums of p_i + p_j over all j but i, spurions among them, over their mass.

    Args:
        n_features: F.
        card: sizes, spurions and the unit of momenta.
    """

    spurions: torch.Tensor

    def __init__(self, n_features: int, card: LocalFramesCard) -> None:
        super().__init__()
        self.card = card
        self.register_buffer("spurions", spurions(beam=card.beam is not None, time=card.time), persistent=False)
        first = card.frame_hidden[0]
        self.receiver, self.sender = nn.Linear(n_features, first), nn.Linear(n_features, first, bias=False)
        self.mass = nn.Linear(1, first, bias=False)
        self.reference = nn.Parameter(0.1 * torch.randn(len(self.spurions), first))
        layers: list[nn.Module] = []
        for before, after in pairwise((*card.frame_hidden, 3)):
            layers += [nn.GELU(), nn.Linear(before, after)]
        layers[-1] = nn.Linear(card.frame_hidden[-1], 3, bias=False)  # what all get alike, a softmax takes away
        self.rest = nn.Sequential(*layers)

    def forward(self, rows: torch.Tensor, bucket: Bucket) -> Results:
        """Momenta and features of a bucket `(rows, 4 + F)` → momenta, frames, views.

        Returns:
            Momenta in units `(rows, 4)`; frames `(rows, 16)`, each over its Lorentz factor, so that vectors are not
            blown up by boosts (as `lloca` 2.0 does); and views `(rows, 4 (2 + R))`, what each constituent sees of
            itself, of the jet and of the spurions. All but the first are relative to the rest frame of the jet,
            where boosts between constituents are smallest; a jet without a mass is boosted along itself (`MASSLESS`).
        """
        padded = bucket.pad(rows)
        momenta, scalars = in_units(padded[..., :4].double(), bucket.valid, self.card), padded[..., 4:]
        total = (momenta * bucket.valid[..., None]).sum(1, keepdim=True)
        boost = rest_boost(total, MASSLESS)
        others = torch.cat([total, self.spurions.to(total.dtype).expand(len(total), -1, -1)], dim=1)
        moved, others = momenta @ boost[:, 0].mT, others @ boost[:, 0].mT
        frames = local_frames(self.vectors(moved, scalars, others[:, 1:], bucket.valid))
        seen = torch.cat([moved[:, :, None], others[:, None].expand(-1, moved.shape[1], -1, -1)], dim=2) @ frames.mT
        scaled = frames / frames[..., :1, :1].clamp(min=1)
        results = (momenta, scaled.flatten(2), seen.asinh().flatten(2))
        return tuple(bucket.flatten(result.to(rows.dtype)) for result in results)

    def vectors(
        self, momenta: torch.Tensor, scalars: torch.Tensor, references: torch.Tensor, valid: torch.Tensor
    ) -> torch.Tensor:
        """Three sums for every constituent; 0 for one that is alone.

        Args:
            momenta: `(b, n, 4)`.
            scalars: `(b, n, F)`.
            references: `(b, R, 4)`.
            valid: bool `(b, n)`, False for padding.

        Returns:
            float64 `(b, n, 3, 4)`.
        """
        pairs = momenta[:, :, None] + torch.cat([momenta, references], dim=1)[:, None]
        mass_squared = _mass_squared(pairs, self.card)[..., None]
        sent = torch.cat([self.sender(scalars), self.reference.expand(len(scalars), -1, -1)], dim=1)
        mass = self.mass((mass_squared.log() / LOG_MASS_SCALE).to(scalars.dtype))
        logits = self.rest(self.receiver(scalars)[:, :, None] + sent[:, None] + mass)
        n, m = pairs.shape[1:3]
        hidden = ~functional.pad(valid, (0, m - n), value=True)[:, None] | torch.eye(
            n, m, dtype=torch.bool, device=valid.device
        )
        logits = logits.masked_fill(hidden[..., None], torch.finfo(logits.dtype).min)
        weights = logits.softmax(2).masked_fill(hidden[..., None], 0)
        return torch.einsum("bnmk,bnmv->bnkv", weights.to(pairs.dtype), pairs / mass_squared.sqrt())


def _mass_squared(momenta: torch.Tensor, card: LocalFramesCard) -> torch.Tensor:
    """In squared units, with a floor: `(..., 4)` → `(...)`."""
    return inner(momenta, momenta).clamp(min=(SMALLEST_MASS / card.unit) ** 2)


def log_mass(card: LocalFramesCard, momenta: torch.Tensor, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Ln m^2 of pairs: momenta in units `(T, 4)`, twice rows int64 `(P,)` → `(P, 1)`."""
    exact = momenta.double()
    return _mass_squared(exact[first] + exact[second], card).log().to(momenta.dtype)[:, None]


class LocalEmbedding(Embedding):
    """Embedding of features and views, and the network that makes the frames."""

    def __init__(self, n_features: int, card: LocalFramesCard) -> None:
        frames = FrameNetwork(n_features, card)
        super().__init__(n_features + 4 * (2 + len(frames.spurions)), (*card.embedding, card.width))
        self.frames = frames


class LocalAttention(Attention):
    """Attention whose heads exchange scalars and vectors.

    Args:
        width: D.
        heads: H.
        dropout: of attention weights.
        vectors: V, the last 4 V channels of each head.
    """

    def __init__(self, width: int, heads: int, dropout: float, vectors: int) -> None:
        super().__init__(width, heads, dropout)
        self.n_scalars = width // heads - 4 * vectors

    def exchange(
        self, rows: torch.Tensor, bucket: Bucket, bias: torch.Tensor, frames: torch.Tensor, scale: torch.Tensor
    ) -> torch.Tensor:
        """Rows `(rows, D)` in frames `(rows, 16)`, bias `(b, H, n, n)`, scale `(D,)` → `(rows, D)`.

        All vectors are turned into one frame, there multiplied and added up, and turned back (arXiv:2505.20280,
        eq. 12), which costs no frame for each pair.
        """
        query, key, value = self._heads(bucket, self.in_proj(rows))
        to_local = bucket.pad(frames).view(*bucket.valid.shape, 4, 4)[:, None, :, None]
        to_common = inverse(to_local)
        query, value = self._turn(query, to_common), self._turn(value, to_common)
        mixed = self._mix(query, self._turn(key, lowered(to_common.mT).mT), value, bias.to(query.dtype))
        mixed = self._turn(mixed, to_local)
        return self._project(bucket.flatten(mixed.transpose(1, 2).flatten(2)), scale)

    def _turn(self, values: torch.Tensor, matrices: torch.Tensor) -> torch.Tensor:
        """Multiply the vectors of `(b, H, n, D/H)` by matrices `(b, 1, n, 1, 4, 4)`."""
        scalars, vectors = values[..., : self.n_scalars], values[..., self.n_scalars :]
        columns = vectors.reshape(*vectors.shape[:-1], vectors.shape[-1] // 4, 4, 1)
        return torch.cat([scalars, (matrices @ columns).flatten(-3)], dim=-1)


class LocalBlock(NormFormer):
    """Self-attention of tokens in their frames."""

    attn: LocalAttention

    def __init__(self, card: LocalFramesCard) -> None:
        super().__init__(card.width, card.heads, card.expansion, card.dropout)
        self.attn = LocalAttention(card.width, card.heads, card.dropout, card.vectors)

    def forward(self, rows: torch.Tensor, bucket: Bucket, bias: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
        """`(rows, D)`, bias `(b, H, n, n)`, frames `(rows, 16)` → `(rows, D)`."""
        return self.finish(self.attn.exchange(self.pre_attn_norm(rows), bucket, bias, frames, self.scale()), rows)


class LocalFramesTransformer(ParticleTransformer):
    """Particle Transformer on features and views; class attention sees tokens as they are, in their frames.

    Of pairs, the bias of the attention knows the mass, which is a Lorentz scalar. Nothing is in bfloat16.

    Args:
        n_features: F.
        card: sizes.
    """

    embed: LocalEmbedding

    def _embedding(self, n_features: int, card: ParticleTransformerSection) -> LocalEmbedding:
        return LocalEmbedding(n_features, cast(LocalFramesCard, card))

    def _pair_embedding(self, card: ParticleTransformerSection) -> PairEmbedding:
        compute = partial(log_mass, cast(LocalFramesCard, card))
        sizes = card.pair_embedding, card.heads
        return PairEmbedding(*sizes, activated=card.pair_activation, compute=compute, n_features=1)

    def _block(self, card: ParticleTransformerSection) -> NormFormer:
        return LocalBlock(cast(LocalFramesCard, card))

    def encode(self, features: torch.Tensor, momenta: torch.Tensor, ragged: Ragged) -> Encoded:
        """`(B, N, F)`, `(B, N, 4)` → tokens `(B, N, D)`, jet `(B, D)`."""
        with no_autocast(features.device):
            rows = torch.cat([ragged.flatten(momenta), ragged.flatten(features)], dim=1)
            scaled, frames, seen = over_buckets(self.embed.frames, self.embed.frames, ragged, rows)
            rows = self.embed.input_bn(torch.cat([rows[:, 4:], seen], dim=1))
            pairs, values = zip(*self.pair_embed(scaled, ragged), strict=True)
            tokens, jets = over_buckets(self._encode, self, ragged, rows, pairs, values, ragged.split(frames))
            return Encoded(ragged.pad(tokens), ragged.restore(jets))
