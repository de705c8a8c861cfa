"""Changes of a jet that leave its physics alone, for whole batches; inputs are never modified.

Those of JetCLR (arXiv:2108.04253, sec. 2.2) act on pT and direction only, respect the mask and wrap azimuths.
Features are computed afterwards (`jetssl.data.features`), so energies, fractions and distances follow. Directions are
relative to the jet axis: rotations about it need no centring.

Letters: B jets, N constituents.
"""

from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import numpy.typing as npt

from jetssl.config.data import AugmentationsCard
from jetssl.data.batching import PaddedJets
from jetssl.data.pairs import Floats, Integers
from resim.angles import wrap

SMEARING_FLOOR = 0.1
"""GeV; below it the soft smearing grows no further, as in JetCLR's code."""

Augmentation = Callable[[PaddedJets, np.random.Generator], PaddedJets]


def augment(jets: PaddedJets, card: AugmentationsCard, rng: np.random.Generator) -> PaddedJets:
    """Everything that a card asks for, in the order in which JetCLR applies it; cropping comes first.

    Args:
        jets: B jets.
        card: which augmentations, and how strong; what is off draws no random numbers.
        rng: random numbers.
    """
    if card.crop > 0:
        jets = crop(jets, rng, card.crop)
    if card.rotate or card.mirror:
        jets = rotate_flip(jets, rng, rotate=card.rotate, mirror=card.mirror)
    if card.split_up_to > 0:
        jets = split_collinear(jets, rng, card.split_up_to)
    if card.smear > 0:
        jets = smear_soft(jets, rng, card.smear)
    if card.translate > 0:
        jets = translate(jets, rng, card.translate)
    return jets


def rotate_flip(
    jets: PaddedJets, rng: np.random.Generator, *, rotate: bool = True, mirror: bool = True
) -> PaddedJets:
    """Turn each jet about its axis by a random angle and mirror half of them.

    Acts on the (delta eta, delta phi) plane around the jet axis, where distances are kept exactly; the orientation
    of a decay in that plane is common to the views of a row and would let the objective recognize the row without
    looking at its substructure.

    Args:
        jets: B jets.
        rng: source of the B angles, uniform in [0, 2 pi), and the B mirror images.
        rotate: whether to turn.
        mirror: whether to mirror.
    """
    angle = rng.uniform(0, 2 * np.pi, (len(jets.jet_pt), 1)) * rotate
    sign = np.where(rng.random(angle.shape) < 0.5 * mirror, -1, 1)
    cos, sin = np.cos(angle), np.sin(angle)
    d_phi = sign * jets.d_phi
    return _move(jets, cos * jets.d_eta - sin * d_phi, sin * jets.d_eta + cos * d_phi)


def translate(jets: PaddedJets, rng: np.random.Generator, width: float) -> PaddedJets:
    """Shift all constituents of a jet by the same amount in eta, and by another one in phi; the axis stays.

    Args:
        jets: B jets.
        rng: source of 2B shifts, uniform within +-`width` times the extent of the jet in that direction.
        width: 1 in JetCLR.
    """
    shifted = []
    for values in (jets.d_eta, jets.d_phi):
        largest = np.where(jets.mask, values, -np.inf).max(1, keepdims=True)
        extent = largest - np.where(jets.mask, values, np.inf).min(1, keepdims=True)
        shifted.append(values + width * extent * rng.uniform(-1, 1, extent.shape))
    return _move(jets, *shifted)


def smear_soft(jets: PaddedJets, rng: np.random.Generator, scale: float) -> PaddedJets:
    """Move each constituent by Gaussians of width Lambda / pT in eta and phi: soft radiation is unresolved.

    Args:
        jets: B jets.
        rng: random numbers.
        scale: Lambda in GeV; 0.1 in JetCLR.
    """
    width = scale / np.maximum(jets.pt, SMEARING_FLOOR)
    return _move(jets, *(values + width * rng.normal(size=width.shape) for values in (jets.d_eta, jets.d_phi)))


def split_collinear(jets: PaddedJets, rng: np.random.Generator, capacity: int) -> PaddedJets:
    """Replace random constituents by two collinear ones that share their four-momentum.

    min(capacity - n, n) different ones of the n constituents of a jet are split, each at a uniform fraction; what is
    no momentum (charge, type, impact parameters) is copied. JetCLR's own code may choose empty slots instead.
    Constituents come out in descending pT.

    Args:
        jets: B jets.
        rng: random numbers.
        capacity: constituents that a jet may have afterwards; longer jets stay as they are. 50 in JetCLR.
    """
    counts = jets.mask.sum(1)
    splits = np.minimum(np.maximum(capacity - counts, 0), counts)
    chosen = _ranks(np.where(jets.mask, rng.random(jets.mask.shape), np.inf)) < splits[:, None]
    fraction = np.where(chosen, rng.random(chosen.shape), 1).astype(np.float32)
    first = _scaled(jets, fraction)
    second = replace(_scaled(jets, 1 - fraction), mask=chosen)
    return _by_pt(_side_by_side(first, second), int((counts + splits).max()))


def crop(jets: PaddedJets, rng: np.random.Generator, probability: float) -> PaddedJets:
    """Leave out constituents at random, never the hardest one; pT and energy of the jet become those of the rest.

    Args:
        jets: B jets.
        rng: random numbers.
        probability: of each constituent to be left out.
    """
    hardest = np.arange(jets.mask.shape[1]) == np.where(jets.mask, jets.pt, -1).argmax(1)[:, None]
    kept = jets.mask & (hardest | (rng.random(jets.mask.shape) >= probability))
    rest = _by_pt(replace(jets, mask=kept), int(kept.sum(1).max()))
    p_x, p_y = (rest.pt * np.cos(rest.d_phi)).sum(1), (rest.pt * np.sin(rest.d_phi)).sum(1)
    return replace(rest, jet_pt=np.hypot(p_x, p_y), jet_energy=(rest.energy * rest.mask).sum(1))


def _move(jets: PaddedJets, d_eta: npt.NDArray[np.floating], d_phi: npt.NDArray[np.floating]) -> PaddedJets:
    """New directions; azimuths are wrapped, padding stays 0."""
    return replace(
        jets,
        d_eta=np.where(jets.mask, d_eta, 0).astype(np.float32),
        d_phi=np.where(jets.mask, wrap(d_phi), 0).astype(np.float32),
    )


def _scaled(jets: PaddedJets, fraction: Floats) -> PaddedJets:
    """Four-momenta times `fraction`, `(B, N)`: the mass, too, so that two shares add up to the whole."""
    return replace(jets, pt=jets.pt * fraction, mass=jets.mass * fraction)


def _ranks(values: npt.NDArray[np.floating]) -> Integers:
    """Place of every entry in its ascending row: int64 `(B, N)`."""
    return np.argsort(np.argsort(values, axis=1), axis=1)


def _constituent_columns(jets: PaddedJets) -> dict[str, npt.NDArray[np.generic]]:
    """Fields of shape `(B, N)`, by name."""
    columns = {field.name: getattr(jets, field.name) for field in fields(jets)}
    return {name: values for name, values in columns.items() if values.ndim == 2}


def _side_by_side(first: PaddedJets, second: PaddedJets) -> PaddedJets:
    """Constituents of both, `(B, N + N')`; the rest is that of `first`."""
    one, other = _constituent_columns(first), _constituent_columns(second)
    return replace(first, **{name: np.concatenate([one[name], other[name]], axis=1) for name in one})


def _by_pt(jets: PaddedJets, longest: int) -> PaddedJets:
    """Real constituents first, in descending pT; `longest` columns, 0 outside the mask."""
    order = np.argsort(np.where(jets.mask, -jets.pt, np.inf), axis=1, kind="stable")[:, :longest]
    columns = {name: np.take_along_axis(values, order, 1) for name, values in _constituent_columns(jets).items()}
    mask = columns["mask"]
    return replace(jets, **{name: np.where(mask, values, 0).astype(values.dtype) for name, values in columns.items()})
