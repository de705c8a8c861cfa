"""Four-vectors (E, px, py, pz): products, boosts, frames and the spurions that break the Lorentz symmetry.

Letters: b jets of a bucket, n its longest jet, R spurions.
"""

from typing import Final

import torch
from torch.nn import functional

from jetssl.config.encoders import SpurionSection

UNDEFINED: Final = 1e-7
"""Length, of what is left of a vector of order 1, below which it has no direction: far above the rounding of double
precision, and far below what is left in jets (0.01 and more in fresh networks)."""
LIGHTLIKE: Final = 1e-8
"""(M/E)^2 of what has no rest frame."""
MASSLESS: Final = 3e-6
"""(M/E)^2 below which a mass is noise: ten times the largest of 20,000 massless constituents in single precision."""


def inner(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """E E' - p p' of vectors: twice `(..., 4)` → `(...)`."""
    return one[..., 0] * other[..., 0] - (one[..., 1:] * other[..., 1:]).sum(-1)


def lowered(vectors: torch.Tensor) -> torch.Tensor:
    """(E, -p), whose Euclidean product with a vector is `inner`: `(..., 4)` → the same shape."""
    return torch.cat([vectors[..., :1], -vectors[..., 1:]], dim=-1)


def inverse(matrices: torch.Tensor) -> torch.Tensor:
    """Of Lorentz transformations, `(..., 4, 4)`: the transpose, with the sign of what mixes time and space turned."""
    return lowered(lowered(matrices).mT)


def rest_boost(momenta: torch.Tensor, limit: float = LIGHTLIKE) -> torch.Tensor:
    """Boosts into rest frames: `(..., 4)` → `(..., 4, 4)`; of what is too near to light, with the largest factor.

    Args:
        momenta: vectors.
        limit: (M/E)^2 where this begins: no Lorentz factor is above limit^-1/2, and all is smooth in the mass.
    """
    momentum, massive = momenta[..., 1:], has_rest_frame(momenta, limit)[..., None]
    mass = inner(momenta, momenta)[..., None].where(massive, 1).sqrt()
    square = momentum.square().sum(-1, keepdim=True)
    length = square.where(square > 0, 1).sqrt()
    flow = (momentum / mass).where(massive, momentum / length * (1 / limit - 1) ** 0.5)
    gamma = (1 + flow.square().sum(-1)).sqrt()
    space = torch.eye(3, dtype=flow.dtype, device=flow.device)
    space = space + flow[..., :, None] * flow[..., None, :] / (1 + gamma)[..., None, None]
    time = torch.cat([gamma[..., None], -flow], dim=-1)
    return torch.cat([time[..., None, :], torch.cat([-flow[..., None], space], dim=-1)], dim=-2)


def has_rest_frame(momenta: torch.Tensor, limit: float = LIGHTLIKE) -> torch.Tensor:
    """Whether vectors are timelike, with (M/E)^2 above `limit`: `(..., 4)` → bool `(...)`."""
    return inner(momenta, momenta) > limit * momenta[..., 0].square()


def local_frames(vectors: torch.Tensor) -> torch.Tensor:
    """Frames of three vectors (arXiv:2508.14898, sec. 2.2): the rest frame of the first, axes by Gram and Schmidt.

    If all vectors are transformed by a proper L, the frames become `frames @ L^-1`, so components `frames @ p` stay.
    An axis that the vectors do not define is 0, as is a frame whose first vector has no rest frame: what would point
    there is left out, and nothing depends on a direction that was made up.

    Args:
        vectors: `(..., 3, 4)`.

    Returns:
        `(..., 4, 4)`, proper Lorentz transformations where vectors are neither coplanar nor lightlike.
    """
    boost = rest_boost(vectors[..., 0, :])
    one, other = (vectors[..., 1:, :] @ boost.mT)[..., 1:].unbind(-2)
    x = _unit(one)
    y = _unit(other - (other * x).sum(-1, keepdim=True) * x)
    axes = torch.stack([x, y, torch.linalg.cross(x, y)], dim=-2)
    rotation = functional.pad(axes, (1, 0, 1, 0))
    rotation = rotation + functional.pad(rotation.new_ones(1, 1), (0, 3, 0, 3))
    return (rotation @ boost).where(has_rest_frame(vectors[..., 0, :])[..., None, None], 0)


def _unit(vectors: torch.Tensor) -> torch.Tensor:
    """Vectors of length 1, and 0 for those much shorter than `UNDEFINED`, smoothly: `(..., 3)` → the same shape."""
    square = vectors.square().sum(-1, keepdim=True)
    return vectors * (square / (square + UNDEFINED**2) ** 1.5)


def spurions(*, beam: bool, time: bool) -> torch.Tensor:
    """Reference vectors `(R, 4)`: both beams (1, 0, 0, +-1), and time (1, 0, 0, 0).

    >>> spurions(beam=False, time=True)
    tensor([[1., 0., 0., 0.]])
    """
    vectors = [(1.0, 0.0, 0.0, 1.0), (1.0, 0.0, 0.0, -1.0)] * beam + [(1.0, 0.0, 0.0, 0.0)] * time
    return torch.tensor(vectors).view(-1, 4)


def in_units(momenta: torch.Tensor, valid: torch.Tensor, card: SpurionSection) -> torch.Tensor:
    """Momenta in the unit of a card, of jets that have the energy it gives them, if any.

    Args:
        momenta: `(b, n, 4)` in GeV.
        valid: bool `(b, n)`, False for padding.
        card: `unit` and `jet_energy`.
    """
    if card.jet_energy is not None:
        energies = momenta[..., :1] * valid[..., None]
        momenta = momenta * (card.jet_energy / energies.sum(1, keepdim=True))
    return momenta / card.unit
