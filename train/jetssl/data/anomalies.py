"""Anomalous versions of jets, for objectives that push them away: the augmentations of AnomalyCLR for jets.

Each changes how pT is shared among constituents or directions, and leaves the pT of the jet and its centre alone, so
that an anomaly is told by substructure and by nothing else. Inputs are never modified. Those of whole events are
in `jetssl.data.event_anomalies`.

Letters: B jets, T constituents of all of them together.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from jetssl.config.objectives import AnomaliesCard
from jetssl.data.event_anomalies import add_objects, scale_pt, split_objects
from jetssl.data.jets import Jets, concatenate
from jetssl.data.kinematics import hypotenuse, wrapped
from resim.common.arrays import Floats32

PRONG = 0.2
"""Radius of what is shifted, in (eta, phi): a prong of an R = 0.8 jet."""


def anomalize(jets: Jets, card: AnomaliesCard, rng: np.random.Generator) -> Jets:
    """An anomalous version of each jet, of a kind that is drawn for it.

    Args:
        jets: B jets.
        card: which kinds, and how strong; those of events are for events (`require_events`).
        rng: random numbers.
    """
    kinds = _kinds(card, rng)
    kind = rng.integers(len(kinds), size=len(jets.counts))
    chosen = [np.flatnonzero(kind == number) for number in range(len(kinds))]
    made = [change(jets.take(some)) for change, some in zip(kinds, chosen, strict=True) if len(some)]
    return concatenate(made).take(np.argsort(np.concatenate(chosen)))


def _kinds(card: AnomaliesCard, rng: np.random.Generator) -> list[Callable[[Jets], Jets]]:
    """What the card has on, in the order of its keys."""
    return [
        change
        for wanted, change in (
            (card.drop > 0, lambda some: drop(some, rng, card.drop)),
            (card.shift > 0, lambda some: shift(some, rng, card.shift)),
            (card.exponent != 1, lambda some: reweight(some, card.exponent)),
            (card.add_objects, lambda some: add_objects(some, rng)),
            (card.split_objects, lambda some: split_objects(some, rng)),
            (card.scale_pt > 1, lambda some: scale_pt(some, rng, card.scale_pt)),
        )
        if wanted
    ]


def drop(jets: Jets, rng: np.random.Generator, probability: float) -> Jets:
    """Leave out constituents at random, never the hardest one; the rest share the pT.

    Args:
        jets: B jets.
        rng: source of a number for each constituent.
        probability: of each constituent to be left out.
    """
    kept = rng.random(len(jets.pt), np.float32) >= probability
    kept[jets.starts] = True
    rest = jets.select(np.flatnonzero(kept), np.add.reduceat(kept, jets.starts, dtype=np.int64))
    return _like(rest, jets)


def shift(jets: Jets, rng: np.random.Generator, largest: float) -> Jets:
    """Move a prong: the constituents within `PRONG` of a random one, all by the same amount.

    Args:
        jets: B jets.
        rng: source of B choices and 2B shifts, uniform within +-`largest`.
        largest: of the shift in eta and in phi.
    """
    middle = jets.starts + rng.integers(jets.counts)
    d_eta, d_phi = (values - jets.per_constituent(values[middle]) for values in (jets.d_eta, jets.d_phi))
    moves = hypotenuse(d_eta, wrapped(d_phi)) < PRONG
    in_eta, in_phi = (
        moves * jets.per_constituent(amount) for amount in rng.uniform(-largest, largest, (2, len(jets.counts)))
    )
    moved = replace(
        jets,
        d_eta=(jets.d_eta + in_eta).astype(np.float32),
        d_phi=wrapped((jets.d_phi + in_phi).astype(np.float32)),
    )
    return _like(moved, jets)


def reweight(jets: Jets, exponent: float) -> Jets:
    """Replace pT by a power of it: above 1 the hard constituents get harder, below 1 all get more alike.

    Args:
        jets: B jets.
        exponent: of pT; above 0, so that the order in pT stays.
    """
    hardest = jets.per_constituent(jets.pt[jets.starts])
    return _like(replace(jets, pt=(hardest * (jets.pt / hardest) ** np.float32(exponent)).astype(np.float32)), jets)


def _like(changed: Jets, original: Jets) -> Jets:
    """The changed jets with the scalar sum of pT and the centre, weighted with pT, of the original ones."""
    wanted, found = original.sums(original.pt), changed.sums(changed.pt)
    pt = changed.pt * changed.per_constituent(wanted / found)
    scaled = replace(changed, pt=pt)

    def centre(jets: Jets, values: Floats32) -> Floats32:
        return np.asarray(jets.sums(jets.pt * values) / wanted)

    back_eta, back_phi = (
        scaled.per_constituent(centre(original, before) - centre(scaled, after))
        for before, after in ((original.d_eta, scaled.d_eta), (original.d_phi, scaled.d_phi))
    )
    return replace(scaled, d_eta=scaled.d_eta + back_eta, d_phi=wrapped(scaled.d_phi + back_phi))
