"""Features of pairs of constituents and the attention bias made of them (arXiv:2202.03772, sec. 4).

Only pairs of real constituents are looked at, each once: the features are symmetric.

Letters: T real constituents of a batch, P their pairs i >= j within jets, b jets of a bucket, n its longest jet,
H heads.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import nn

from jetssl.data.ragged import Bucket, Ragged
from jetssl.models.batch_norm import BatchNorm

N_FEATURES = 4
SMALLEST = 1e-8
"""Floor under the arguments of the logarithms, in GeV or GeV^2, as in weaver-core."""


def pair_features(momenta: torch.Tensor, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Ln kT, ln z, ln Delta, ln m^2 of pairs (arXiv:2202.03772, eq. 3), Delta with rapidities.

    Args:
        momenta: `(T, 4)`, (E, px, py, pz) in GeV.
        first: int64 `(P,)`, rows of `momenta`.
        second: int64 `(P,)`.

    Returns:
        `(P, 4)`.
    """
    energy, p_x, p_y, p_z = momenta.unbind(1)
    rapidity = 0.5 * torch.log1p(2 * p_z / (energy - p_z).clamp(min=1e-20))
    columns = torch.stack([p_x.hypot(p_y), rapidity, torch.atan2(p_y, p_x), energy, p_x, p_y, p_z])
    one, other = columns[:, first], columns[:, second]
    d_phi = torch.remainder(one[2] - other[2] + torch.pi, 2 * torch.pi) - torch.pi
    distance = torch.hypot(one[1] - other[1], d_phi)
    softer = torch.minimum(one[0], other[0])
    total = one[3:] + other[3:]
    mass_squared = total[0].square() - total[1:].square().sum(0)
    z = softer / (one[0] + other[0]).clamp(min=SMALLEST)
    return torch.stack([softer * distance, z, distance, mass_squared], dim=1).clamp(min=SMALLEST).log()


PairFeatures = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


class PairEmbedding(nn.Module):
    """Perceptron with batch norm over pairs; one number per head is the bias.

    Args:
        hidden: sizes of the hidden layers.
        heads: H.
        activated: whether the last layer has an activation, too.
        compute: momenta and pairs → features, as `pair_features` does.
        n_features: how many it makes.
    """

    def __init__(
        self,
        hidden: tuple[int, ...],
        heads: int,
        *,
        activated: bool = False,
        compute: PairFeatures = pair_features,
        n_features: int = N_FEATURES,
    ) -> None:
        super().__init__()
        self.compute = compute
        sizes = (n_features, *hidden, heads)
        layers: list[nn.Module] = [BatchNorm(n_features)]
        for before, after in pairwise(sizes):
            layers += [nn.Linear(before, after), BatchNorm(after), nn.GELU()]
        self.embed = nn.Sequential(*layers if activated else layers[:-1])

    def forward(self, momenta: torch.Tensor, ragged: Ragged) -> list[tuple["ConstituentPairs", torch.Tensor]]:
        """Pairs of every bucket, and their values `(P, H)`.

        Args:
            momenta: `(T, 4)`.
            ragged: how the T constituents belong to jets.
        """
        lists = [_pairs(bucket) for bucket in ragged.buckets]
        rows = [
            (pairs.first + start, pairs.second + start) for pairs, start in zip(lists, ragged.starts, strict=True)
        ]
        first, second = (torch.cat(side) for side in zip(*rows, strict=True))
        with torch.no_grad():
            features = self.compute(momenta, first, second)
        values = self.embed(features).split([len(pairs.first) for pairs in lists])
        return list(zip(lists, values, strict=True))


class ConstituentPairs:
    """Pairs i >= j of the jets of a bucket.

    Args:
        valid: bool `(b, n)`.
        first: int64 `(P,)`, rows of the bucket.
        second: int64 `(P,)`.
        below: int64 `(P, 3)`, jet, i and j.
    """

    def __init__(self, valid: torch.Tensor, first: torch.Tensor, second: torch.Tensor, below: torch.Tensor) -> None:
        n = valid.shape[1]
        self.valid, self.first, self.second = valid, first, second
        jet, i, j = below.unbind(1)
        self.forward_places, self.backward_places = (jet * n + i) * n + j, (jet * n + j) * n + i

    def fill(self, values: torch.Tensor) -> torch.Tensor:
        """Values of the pairs `(P, H)` → bias `(b, H, n, n)`, -inf for padded keys."""
        n_jets, n = self.valid.shape
        dense = values.new_zeros(n_jets, n, n, values.shape[1])
        dense.masked_fill_(~self.valid[:, None, :, None], -torch.inf)
        flat = dense.view(-1, values.shape[1])
        flat = flat.index_copy_(0, self.forward_places, values).index_copy_(0, self.backward_places, values)
        return flat.view(dense.shape).permute(0, 3, 1, 2).contiguous()


def _pairs(bucket: Bucket) -> ConstituentPairs:
    """All of a bucket, jet by jet, by i, then by j: number k of a jet has k = i (i + 1) / 2 + j."""
    lengths, device = bucket.lengths, bucket.lengths.device
    of_jet = lengths * (lengths + 1) // 2
    number = bucket.pairs()
    jet = torch.repeat_interleave(torch.arange(len(lengths), device=device), of_jet, output_size=number)
    k = torch.arange(number, device=device) - (of_jet.cumsum(0) - of_jet)[jet]
    i = ((8 * k + 1).double().sqrt().sub(1) / 2).long()
    j = k - i * (i + 1) // 2
    start = (lengths.cumsum(0) - lengths)[jet]
    return ConstituentPairs(bucket.valid, start + i, start + j, torch.stack([jet, i, j], dim=1))
