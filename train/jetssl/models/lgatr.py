"""L-GATr and L-GATr-slim (arXiv:2405.14806, 2411.00446): transformers that commute with Lorentz transformations.

The layers are those of the package `lgatr`. A jet vector is made of Lorentz scalars only: without spurions, and with
features that are scalars themselves (`data.features: scalars`, `scalars_ip`), no boost or rotation changes it.

Momenta are seen from the jet axis: turned about the beam and boosted along it, until the axis lies at eta = phi = 0
(`jetssl.data.features.momenta`). So the beam is the z axis there as in the laboratory, for every jet, and needs no
rapidity to be known. The plane across the beam is the same in both frames. The light-like vectors (1, 0, 0, +-1) and
the time (1, 0, 0, 0) are those of the jet's frame: the network cannot tell where in rapidity the jet was.

Letters: B jets, N constituents, F features, T real constituents of the batch, b jets of a bucket, n its longest jet
(with the token), R spurions, C channels, D model width.
"""

from abc import abstractmethod
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from jetssl.common.precision import no_autocast
from jetssl.config.encoders import LGATrCard, LGATrSlimCard, LorentzSection
from jetssl.data.ragged import Bucket, Ragged
from jetssl.models.encoder import Encoded, Encoder
from jetssl.models.minkowski import in_units
from jetssl.models.parallel import Results, over_buckets
from resim.common.errors import InputError


class LorentzEncoder(Encoder):
    """Spurions beside every particle, blocks of equivariant attention, and a linear map of what is invariant then.

    Args:
        n_features: F.
        card: sizes.
        spurions: `(R, C')`, embedded as the blocks want vectors: 4 or 16 numbers.
    """

    spurions: torch.Tensor
    head: nn.Linear
    """from invariants to D"""

    def __init__(self, n_features: int, card: LorentzSection, spurions: torch.Tensor) -> None:
        super().__init__()
        self.width, self.card = card.width, card
        self.register_buffer("spurions", spurions, persistent=False)
        self.token = nn.Parameter(0.02 * torch.randn(1, 1, n_features)) if card.pool == "token" else None

    @abstractmethod
    def invariants(self, vectors: torch.Tensor, scalars: torch.Tensor, seen: torch.Tensor | None) -> torch.Tensor:
        """Lorentz scalars of every item after all blocks.

        Args:
            vectors: `(b, n, 1 + R, C')`, momentum and spurions.
            scalars: `(b, n, F)`.
            seen: bool `(b, 1, 1, n)`, False for padding; None if there is none.
        """

    @abstractmethod
    def embed(self, momenta: torch.Tensor) -> torch.Tensor:
        """Vectors as the blocks want them: `(..., 4)` → `(..., C')`."""

    def encode(self, features: torch.Tensor, momenta: torch.Tensor, ragged: Ragged) -> Encoded:
        """`(B, N, F)`, `(B, N, 4)` → tokens `(B, N, D)`, jet `(B, D)`."""
        rows = torch.cat([ragged.flatten(momenta), ragged.flatten(features)], dim=1)
        tokens, jets = over_buckets(self._encode, self, ragged, rows)
        return Encoded(ragged.pad(tokens), ragged.restore(jets))

    def _encode(self, rows: torch.Tensor, bucket: Bucket) -> Results:
        """Of a bucket: momenta and features `(rows, 4 + F)` → tokens `(rows, D)`, jets `(b, D)`.

        Not in bfloat16: invariants are small differences of large products.
        """
        with no_autocast(rows.device):
            padded = bucket.pad(rows)
            return self._pooled(padded[..., :4], padded[..., 4:], bucket)

    def _pooled(self, momenta: torch.Tensor, scalars: torch.Tensor, bucket: Bucket) -> Results:
        """`(b, n, 4)`, `(b, n, F)` → tokens `(rows, D)`, jets `(b, D)`."""
        momenta, seen = in_units(momenta, bucket.valid, self.card), None if bucket.full else bucket.valid
        if self.token is None:
            tokens = self.head(self._items(momenta, scalars, seen))
            jets = (tokens * bucket.valid[..., None]).sum(1) / bucket.lengths[:, None]
            return bucket.flatten(tokens), jets
        scalars = torch.cat([self.token.expand(len(scalars), -1, -1), scalars], dim=1)
        seen = None if seen is None else functional.pad(seen, (1, 0), value=True)
        items = self.head(self._items(functional.pad(momenta, (0, 0, 1, 0)), scalars, seen))
        return bucket.flatten(items[:, 1:]), items[:, 0]

    def _items(self, momenta: torch.Tensor, scalars: torch.Tensor, seen: torch.Tensor | None) -> torch.Tensor:
        """`(b, n, 4)`, `(b, n, F)`, bool `(b, n)` → invariants of every item."""
        spurions = self.spurions.expand(*momenta.shape[:2], -1, -1)
        vectors = torch.cat([self.embed(momenta)[:, :, None], spurions], dim=2)
        return self.invariants(vectors, scalars, None if seen is None else seen[:, None, None])


class LGATr(LorentzEncoder):
    """L-GATr, whose hidden vectors are multivectors: scalar, vector, bivector, axial vector, pseudoscalar.

    Invariant are scalar channels, and the scalar and the pseudoscalar of each multivector.

    Args:
        n_features: F.
        card: sizes.

    Raises:
        InputError: the package `lgatr` is not installed.
    """

    def __init__(self, n_features: int, card: LGATrCard) -> None:
        package, layers = _package(card.name)
        beam = {"plane": "xyplane", "lightlike": "lightlike", None: None}[card.beam]
        spurions = package.get_spurions(beam, card.time, device=torch.get_default_device())
        super().__init__(n_features, card, spurions)
        primitives = package.PrimitivesConfig()
        sizes = card.multivectors, card.scalars
        self.linear_in = layers.EquiLinear(1 + len(spurions), sizes[0], primitives, n_features, sizes[1])
        attention = package.SelfAttentionConfig(num_heads=card.heads)
        mlp = package.MLPConfig(mlp_ratio=card.expansion)
        blocks = (layers.LGATrBlock(*sizes, attention, mlp, primitives) for _ in range(card.layers))
        self.blocks = nn.ModuleList(blocks)
        self.norm = layers.EquiLayerNorm(*sizes, elementwise_affine=True)
        self.head = nn.Linear(2 * card.multivectors + card.scalars, card.width)
        self._warm_caches()

    def embed(self, momenta: torch.Tensor) -> torch.Tensor:
        """Multivectors of the grade of vectors: `(..., 4)` → `(..., 16)`."""
        return functional.pad(momenta, (1, 11))

    def invariants(self, vectors: torch.Tensor, scalars: torch.Tensor, seen: torch.Tensor | None) -> torch.Tensor:
        """Multivectors `(b, n, 1 + R, 16)`, `(b, n, F)` → `(b, n, 2 C + S)`."""
        hidden, others = self.linear_in(vectors, scalars)
        for block in self.blocks:
            hidden, others = block(hidden, others, attn_mask=seen)
        hidden, others = self.norm(hidden, others)
        return torch.cat([others, hidden[..., 0], hidden[..., 15]], dim=2)

    def _apply(self, *args: Any, **kwargs: Any) -> "LGATr":
        super()._apply(*args, **kwargs)  # type: ignore[no-untyped-call]
        self._warm_caches()
        return self

    def _warm_caches(self) -> None:
        """Make the constants of `lgatr` for this device and precision now.

        It keeps them for the process: made while something is only evaluated, they would be of no use to a gradient.
        """
        from lgatr.primitives.compile import warmup_caches

        warmup_caches(self.head.weight.device, self.head.weight.dtype)


class LGATrSlim(LorentzEncoder):
    """L-GATr-slim, of vectors and scalars.

    Invariant are scalar channels and the square of each vector.

    Args:
        n_features: F.
        card: sizes.

    Raises:
        InputError: the package `lgatr` is not installed.
    """

    def __init__(self, n_features: int, card: LGATrSlimCard) -> None:
        package, layers = _package(card.name)
        spurions = package.get_spurions(card.beam, card.time, device=torch.get_default_device())[:, 1:5]
        super().__init__(n_features, card, spurions)
        sizes = card.vectors, card.scalars
        self.linear_in = layers.SlimLinear(1 + len(spurions), sizes[0], n_features, sizes[1])
        blocks = (layers.SlimBlock(*sizes, card.heads, mlp_ratio=card.expansion) for _ in range(card.layers))
        self.blocks = nn.ModuleList(blocks)
        self.norm = layers.SlimRMSNorm(*sizes)
        self.head = nn.Linear(sum(sizes), card.width)

    def embed(self, momenta: torch.Tensor) -> torch.Tensor:
        """As they are."""
        return momenta

    def invariants(self, vectors: torch.Tensor, scalars: torch.Tensor, seen: torch.Tensor | None) -> torch.Tensor:
        """Vectors `(b, n, 1 + R, 4)`, `(b, n, F)` → `(b, n, C + S)`."""
        hidden, others = self.linear_in(vectors.transpose(2, 3), scalars)  # (b, n, 4, C) within the blocks
        for block in self.blocks:
            hidden, others = block(hidden, others, attn_mask=seen)
        hidden, others = self.norm(hidden, others)
        squares = hidden.square()
        return torch.cat([others, squares[:, :, 0] - squares[:, :, 1:].sum(2)], dim=2)


def _package(name: str) -> tuple[Any, Any]:
    """`lgatr` and its layers.

    It makes constants when it is imported: on the CPU, even where a network is built on `meta` to be measured.
    """
    try:
        with torch.device("cpu"):
            import lgatr
            import lgatr.layers
    except ImportError as error:
        raise InputError(f"encoder {name} needs lgatr; install the extra `equivariant`") from error
    return lgatr, lgatr.layers
