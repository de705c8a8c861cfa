"""Which constituents of a jet are hidden from the encoder.

Letters: B jets, T constituents of all of them together.
"""

import numpy as np

from jetssl.config.objectives import HidingCard
from jetssl.data.features import momenta
from jetssl.data.jets import Jets
from jetssl.data.kinematics import wrapped
from resim.common.arrays import Booleans, Floats, Integers
from resim.common.ragged import indices_of_ranges, offsets_of

HIDDEN = "hidden"
"""Column of `Jets.other`: bool `(T,)`, the constituents that are hidden."""


def hide(jets: Jets, card: HidingCard, rng: np.random.Generator) -> Booleans:
    """Choose the hidden constituents of each jet.

    A jet of N constituents hides round(f N) of them, f uniform between the shares of the card, but 1 at least and
    N - 1 at most; a jet of one constituent hides none. They are the first ones of an order: a random one, that of
    distances from a random constituent, or kT subjets in random order, of which the last one may be cut.

    Args:
        jets: B jets.
        card: shares, and which order.
        rng: up to two draws for each jet, and two for each constituent.

    Returns:
        bool `(T,)`.
    """
    shares = rng.uniform(*card.masked, len(jets.counts))
    wanted = np.clip(np.rint(shares * jets.counts).astype(np.int64), 1, None)
    wanted = np.minimum(wanted, jets.counts - 1)
    return _rank(_ORDERS[card.masking](jets, card, rng), jets) < jets.per_constituent(wanted)


def _rank(order: Floats, jets: Jets) -> Integers:
    """Place of each constituent in its jet by ascending `order`, both `(T,)`."""
    owner = np.repeat(np.arange(len(jets.counts)), jets.counts)
    rank = np.empty(len(order), np.int64)
    rank[np.lexsort((order, owner))] = indices_of_ranges(np.zeros_like(jets.counts), jets.counts)
    return rank


def _random(jets: Jets, card: HidingCard, rng: np.random.Generator) -> Floats:  # noqa: ARG001
    return rng.random(len(jets.pt))


def _contiguous(jets: Jets, card: HidingCard, rng: np.random.Generator) -> Floats:  # noqa: ARG001
    """Squared distance in (eta, phi) from one constituent of each jet."""
    centre = jets.starts + rng.integers(jets.counts)
    d_eta = jets.d_eta - jets.per_constituent(jets.d_eta[centre])
    d_phi = wrapped(jets.d_phi - jets.per_constituent(jets.d_phi[centre]))
    return np.asarray(d_eta.astype(np.float64) ** 2 + d_phi.astype(np.float64) ** 2)


def _kt_subjets(jets: Jets, card: HidingCard, rng: np.random.Generator) -> Floats:
    """A random number for each subjet, and within it a far smaller one for each constituent."""
    from resim.jets.clustering import subjets_of  # FastJet and awkward, which nothing else in training needs

    subjet = subjets_of(offsets_of(jets.counts), momenta(jets).astype(np.float64), card.subjet_radius)
    return rng.permutation(len(jets.pt))[subjet] + rng.random(len(jets.pt))


_ORDERS = {"random": _random, "contiguous": _contiguous, "kt_subjets": _kt_subjets}
