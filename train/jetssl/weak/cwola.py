"""A search for a resonance without labels (CWoLa hunting, arXiv:1805.02664), on vectors of two jets.

Signal region and sidebands of the mass are the two mixtures of arXiv:1708.02949. A classifier tells jets of the one
from jets of the other; events that look like the region are kept, and their spectrum is searched for a bump. No event
is judged by a classifier that learned from it.

Letters: E events, D numbers of a jet.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from jetssl.weak.spectrum import CURVED, STRAIGHT, Excess, MassWindow, Spectrum, fit
from resim.common.arrays import Booleans, Floats, Integers
from resim.common.errors import InputError

FOLDS: Final = 5
PENALTY: Final = 0.1
"""Of half the squares of the coefficients, beside the mean cross-entropy, for standardized columns: strong, as few
events of a mixture are signal, and what else tells the mixtures apart is chance."""


@dataclass(frozen=True, slots=True)
class Events:
    """Events in the sidebands and the signal region."""

    mass: Floats
    """float64 `(E,)`, GeV, of both jets together"""
    jets: Floats
    """float64 `(E, 2, D)`, what is known of either jet; nothing in it may tell the mass"""

    def take(self, chosen: Integers) -> "Events":
        """Some of them."""
        return Events(self.mass[chosen], self.jets[chosen])


@dataclass(frozen=True, slots=True)
class Finding:
    """What a search found."""

    before: Excess
    """all events"""
    after: Excess
    """those that look like the signal region"""
    sculpting: float
    """share of events that the cut keeps in the lower sideband, minus that in the upper one, in units of its error"""
    quality: float
    """probability of a larger deviance of the sidebands from the fit of all events"""


def search(events: Events, window: MassWindow, efficiency: float, rng: np.random.Generator) -> Finding:
    """Look for an excess before and after a cut on what tells the signal region from the sidebands.

    What is expected after the cut is the spectrum before it times the share that is kept, whose logarithm is fitted
    as a straight line in that of the mass: a classifier whose inputs know a little of the mass does no harm.

    Args:
        events: to search.
        window: where.
        efficiency: share of the events of the sidebands that the cut keeps.
        rng: of the folds.

    Raises:
        InputError: too few events in a sideband, or in the region.
    """
    spectrum = fit(events.mass, window, CURVED)
    fold = rng.permutation(len(events.mass)) % FOLDS
    _refuse_one_mixture(window.inside(events.mass), fold, window)
    kept = passing(events, window, efficiency, fold)
    after = fit(events.mass[kept], window, STRAIGHT, spectrum.expected)
    return Finding(
        before=_excess(events.mass, spectrum),
        after=_excess(events.mass[kept], after, relative_error=spectrum.in_region()[1] / spectrum.in_region()[0]),
        sculpting=_sculpting(events.mass, kept, window),
        quality=spectrum.quality,
    )


def _refuse_one_mixture(inside: Booleans, fold: Integers, window: MassWindow) -> None:
    """Both mixtures teach in every fold, and the cut of a fold needs an event of a sideband in it."""
    for number in range(FOLDS):
        taught = inside[fold != number]
        if taught.all() or not taught.any() or inside[fold == number].all():
            raise InputError(
                f"signal region {list(window.region)} GeV: {inside.sum()} events inside and {(~inside).sum()} in the"
                f" sidebands are too few for {FOLDS} folds; widen the window, or search in more events"
            )


def passing(events: Events, window: MassWindow, efficiency: float, fold: Integers) -> Booleans:
    """Which events look most like those of the signal region: bool `(E,)`.

    Args:
        events: E of them.
        window: which are of which mixture.
        efficiency: share of the sidebands that passes, in every fold.
        fold: of each event, `(E,)`; those of a fold are judged by what the others teach.
    """
    kept, inside = np.zeros(len(fold), bool), window.inside(events.mass)
    for number in np.unique(fold):
        held_out = fold == number
        scores = _scores(events.take(np.flatnonzero(~held_out)), events.jets[held_out], window)
        kept[held_out] = scores > np.quantile(scores[~inside[held_out]], 1 - efficiency)
    return kept


def _scores(learned: Events, jets: Floats, window: MassWindow) -> Floats:
    """Log odds of the signal region, summed over both jets, `(E, 2, D)` → `(E,)`, by a regression on single jets."""
    inside, weights = window.inside(learned.mass), mixture_weights(learned.mass, window)
    flat = learned.jets.reshape(-1, learned.jets.shape[2])
    scaler = StandardScaler().fit(flat)
    head = LogisticRegression(C=1 / (PENALTY * len(flat)), max_iter=1000)
    head.fit(scaler.transform(flat), np.repeat(inside, 2), np.repeat(weights, 2))
    odds = head.decision_function(scaler.transform(jets.reshape(-1, jets.shape[2])))
    return np.asarray(odds.reshape(-1, 2).sum(1))


def mixture_weights(mass: Floats, window: MassWindow) -> Floats:
    """Weights with which region and sidebands count alike, and both sidebands, too: `(E,)`, mean 1.

    So a trend with the mass, which goes down on one side and up on the other, teaches nothing (arXiv:1805.02664).
    """
    weights = np.zeros(len(mass))
    for chosen, share in ((window.inside(mass), 0.5), (window.lower(mass), 0.25), (window.upper(mass), 0.25)):
        weights[chosen] = share * len(mass) / max(chosen.sum(), 1)
    return weights


def _excess(mass: Floats, spectrum: Spectrum, relative_error: float = 0.0) -> Excess:
    expected, error = spectrum.in_region()
    observed = int(spectrum.window.inside(mass).sum())
    return Excess(observed, expected, float(np.hypot(error, relative_error * expected)))


def _sculpting(mass: Floats, kept: Booleans, window: MassWindow) -> float:
    sides = [window.lower(mass), window.upper(mass)]
    shares = [kept[side].mean() for side in sides]
    errors = [np.sqrt(share * (1 - share) / side.sum()) for share, side in zip(shares, sides, strict=True)]
    return float((shares[0] - shares[1]) / np.hypot(*errors))
