"""Changes of a jet that leave its physics alone, for whole batches; inputs are never modified.

Those of JetCLR (arXiv:2108.04253, sec. 2.2) change pT and direction. Features are computed afterwards
(`jetssl.data.features`), so energies, fractions and distances follow. Directions are relative to the jet axis, so
rotations about it need no centring.

Letters: B jets, T constituents of all of them together.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from jetssl.config.data import AugmentationsCard
from jetssl.data.jets import Jets
from jetssl.data.kinematics import hypotenuse, wrapped
from resim.common.arrays import Booleans, Floats32, Integers
from resim.common.ragged import indices_of_ranges

SMEARING_FLOOR = 0.1
"""GeV; below it the soft smearing grows no further, as in JetCLR's code."""

SMALLEST_SHARE = np.float32(2**-24)
"""Smallest energy fraction of a splitting: the random numbers are multiples of it, and log(0) must not occur."""


def augment(jets: Jets, card: AugmentationsCard, rng: np.random.Generator) -> Jets:
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
    if card.azimuth:
        jets = turn_azimuth(jets, rng)
    if card.split_up_to > 0:
        jets = split_collinear(jets, rng, card.split_up_to)
    if card.smear > 0:
        jets = smear_soft(jets, rng, card.smear)
    if card.translate > 0:
        jets = translate(jets, rng, card.translate)
    return jets


def rotate_flip(jets: Jets, rng: np.random.Generator, *, rotate: bool = True, mirror: bool = True) -> Jets:
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
    angle = rng.uniform(0, 2 * np.pi, len(jets.counts)) * rotate
    return turn(jets, angle, np.where(rng.random(len(angle)) < 0.5 * mirror, -1, 1))


def turn(jets: Jets, angle: npt.NDArray[np.float64], sign: Integers) -> Jets:
    """Mirror jets in the plane around their axis, where `sign` is -1, then turn them.

    Args:
        jets: B jets.
        angle: rad, `(B,)`.
        sign: 1 or -1, `(B,)`.
    """
    cos, sin, signs = (
        jets.per_constituent(values.astype(np.float32)) for values in (np.cos(angle), np.sin(angle), sign)
    )
    d_phi = signs * jets.d_phi
    return replace(jets, d_eta=cos * jets.d_eta - sin * d_phi, d_phi=wrapped(sin * jets.d_eta + cos * d_phi))


def turn_azimuth(jets: Jets, rng: np.random.Generator) -> Jets:
    """Turn each event about the beam by a random angle, uniform in [0, 2 pi) (AnomalyCLR, arXiv:2301.04660).

    Args:
        jets: B events, with directions in the laboratory.
        rng: source of the B angles.
    """
    angle = rng.uniform(0, 2 * np.pi, len(jets.counts)).astype(np.float32)
    return replace(jets, d_phi=wrapped(jets.d_phi + jets.per_constituent(angle)))


def translate(jets: Jets, rng: np.random.Generator, width: float) -> Jets:
    """Shift all constituents of a jet by the same amount in eta, and by another one in phi; the axis stays.

    Args:
        jets: B jets.
        rng: source of 2B shifts, uniform within +-`width` times the extent of the jet in that direction.
        width: 1 in JetCLR.
    """

    def shifted(values: Floats32) -> Floats32:
        shifts = width * jets.extents(values) * rng.uniform(-1, 1, len(jets.counts))
        return np.asarray(values + jets.per_constituent(shifts.astype(np.float32)))

    return replace(jets, d_eta=shifted(jets.d_eta), d_phi=wrapped(shifted(jets.d_phi)))


def smear_soft(jets: Jets, rng: np.random.Generator, scale: float) -> Jets:
    """Move each constituent by Gaussians of width Lambda / pT in eta and phi: soft radiation is unresolved.

    Args:
        jets: B jets.
        rng: random numbers.
        scale: Lambda in GeV; 0.1 in JetCLR.
    """
    width = np.float32(scale) / np.maximum(jets.pt, np.float32(SMEARING_FLOOR))
    in_eta, in_phi = width * rng.standard_normal((2, len(width)), np.float32)
    return replace(jets, d_eta=jets.d_eta + in_eta, d_phi=wrapped(jets.d_phi + in_phi))


def split_collinear(jets: Jets, rng: np.random.Generator, capacity: int) -> Jets:
    """Replace random constituents by two collinear ones that share their four-momentum.

    min(capacity - n, n) different ones of the n constituents of a jet are split, each at a uniform fraction; what is
    no momentum (charge, type, impact parameters) is copied. JetCLR's own code may choose empty slots instead.
    Constituents come out in descending pT.

    Args:
        jets: B jets.
        rng: random numbers.
        capacity: constituents that a jet may have afterwards; longer jets stay as they are. 50 in JetCLR.
    """
    splits = np.minimum(np.maximum(capacity - jets.counts, 0), jets.counts)
    chosen = choose(jets, splits, rng)
    return divide(jets, chosen, np.maximum(rng.random(int(chosen.sum()), np.float32), SMALLEST_SHARE))


def divide(jets: Jets, chosen: Booleans, share: Floats32) -> Jets:
    """Replace some constituents by two of the same direction, charge and type that share their four-momentum.

    Args:
        jets: B jets.
        chosen: bool `(T,)`.
        share: what the second one gets of each that is chosen, between 0 and 1: float32 `(chosen.sum(),)`.
    """
    copies = 1 + chosen
    original = np.repeat(np.arange(len(copies)), copies)
    shares = np.ones(len(original), np.float32)
    second = np.cumsum(copies)[chosen] - 1
    shares[second], shares[second - 1] = share, 1 - share
    counts = np.add.reduceat(copies, jets.starts, dtype=np.int64)
    order = by_pt(jets.pt[original] * shares, counts)
    split, shares = jets.select(original[order], counts), shares[order]
    # The mass is divided, too, so that the two four-momenta add up to the original.
    return replace(split, pt=split.pt * shares, mass=split.mass * shares)


def crop(jets: Jets, rng: np.random.Generator, probability: float) -> Jets:
    """Leave out constituents at random, never the hardest one; pT and energy of the jet become those of the rest.

    Args:
        jets: B jets.
        rng: random numbers.
        probability: of each constituent to be left out.
    """
    kept = rng.random(len(jets.pt), np.float32) >= probability
    kept[jets.starts] = True
    rest = jets.select(np.flatnonzero(kept), np.add.reduceat(kept, jets.starts, dtype=np.int64))
    p_x, p_y = (rest.sums(rest.pt * project(rest.d_phi)) for project in (np.cos, np.sin))
    return replace(rest, jet_pt=hypotenuse(p_x, p_y), jet_energy=rest.sums(rest.energy))


def choose(jets: Jets, wanted: Integers, rng: np.random.Generator) -> Booleans:
    """`wanted[i]` different constituents of jet i, all choices equally likely: bool `(T,)`."""
    chosen = jets.per_constituent(wanted == jets.counts)
    some = np.flatnonzero((wanted > 0) & (wanted < jets.counts))
    counts = jets.counts[some]
    candidates = indices_of_ranges(jets.starts[some], counts)
    # 32 random bits: two are equal too rarely to matter.
    shuffled = candidates[_order(counts, rng.integers(0, 1 << 32, len(candidates), np.uint32))]
    place = indices_of_ranges(np.zeros_like(counts), counts)
    chosen[shuffled[place < np.repeat(wanted[some], counts)]] = True
    return chosen


def by_pt(pt: Floats32, counts: Integers) -> Integers:
    """Indices that put positive `pt`, `(T,)`, into descending order within each jet: int64 `(T,)`."""
    # Positive floats have the order of their bits, read as integers.
    return _order(counts, ~pt.view(np.uint32))


def _order(counts: Integers, keys: npt.NDArray[np.uint32]) -> Integers:
    """Indices that sort `keys`, `(T,)`, within each jet: int64 `(T,)`; one sort of 64-bit integers for all."""
    jet = np.repeat(np.arange(len(counts)) << 32, counts)
    return np.argsort(jet | keys, kind="stable")
