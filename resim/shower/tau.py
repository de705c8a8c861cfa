"""Decay products of a tau lepton in one normal form, so that decays of different generators can be compared."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

NORMAL_PRODUCTS: Final = frozenset({11, 12, 13, 14, 16, 111, 211, 221, 321})
"""|PDG id| at which the walk ends: e, mu, neutrinos, pi0, pi+-, eta, K+-. Everything else that decays is expanded."""
NEUTRAL_KAONS: Final = frozenset({130, 310, 311})
"""|PDG id| of K0_L, K0_S and K0: generators differ in which of them they write, so each counts as 311."""
_PHOTON: Final = 22
_NEUTRAL_KAON: Final = 311

T = TypeVar("T")


def decay_products(tau: T, children: Callable[[T], Sequence[T]], pdg_id: Callable[[T], int]) -> tuple[int, ...]:
    """PDG ids of what a tau decays to: resonances expanded, photons dropped, sorted ascending.

    A particle that is in neither set and has no children stands for itself.

    Args:
        tau: the last copy of the tau in the event record, behind its radiation.
        children: the direct descendants of a particle.
        pdg_id: the PDG id of a particle.

    Returns:
        Signed PDG ids, but 311 for every neutral kaon; empty for a tau that does not decay.

    >>> tree = {15: [16, -213, 22], -213: [-211, 111]}
    >>> decay_products(15, lambda node: tree.get(node, []), int)
    (-211, 16, 111)
    """
    return tuple(sorted(_products(tau, children, pdg_id)))


def _products(particle: T, children: Callable[[T], Sequence[T]], pdg_id: Callable[[T], int]) -> Iterator[int]:
    for child in children(particle):
        number = pdg_id(child)
        if abs(number) in NEUTRAL_KAONS:
            yield _NEUTRAL_KAON
        elif abs(number) in NORMAL_PRODUCTS or (number != _PHOTON and not children(child)):
            yield number
        elif number != _PHOTON:
            yield from _products(child, children, pdg_id)
