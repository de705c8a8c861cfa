"""Decays of the tau leptons of a hard scatter: read them, compare them, force Pythia to repeat them.

A tau's decay channel is chosen with the hadronization, but it defines the class of the jet: views of one tau must
share it (the rule of the re-simulation strategies of arXiv:2503.11632). Pythia is told the channel; other simulators
cannot be told, so their channel is read and compared.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import pylhe

from resim.common.units import PHOTON, PYTHIA_HARD_OUTGOING, TAU

Node = TypeVar("Node")

_LEPTONS_AND_PIONS: Final = frozenset({11, 12, 13, 14, 16, 111, 211, 321})
_ETA: Final = 221
_NEUTRAL_KAONS: Final = frozenset({130, 310, 311})
_KAON: Final = 311
_CHARGED_HADRONS: Final = frozenset({211, 321})
_ALWAYS, _NEVER, _PARTICLE_ONLY, _ANTIPARTICLE_ONLY = 1, 0, 2, 3
"""`onMode` of a decay channel in the Pythia manual, The Particle Data Scheme."""

Ids = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TauDecay:
    """How one tau decayed.

    Attributes:
        pdg_id: 15 or -15.
        channel: sorted PDG ids of the immediate daughters, as Pythia's decay table has them; empty if the simulator
            has another table.
        products: sorted PDG ids of the long-lived products, see `decay_products`: comparable between simulators.
    """

    pdg_id: int
    channel: Ids
    products: Ids

    def same_as(self, other: "TauDecay") -> bool:
        """Whether two taus decay alike: in one channel of a table, or into the same long-lived products.

        A channel may hold a K* or an omega, which decays on its own.
        """
        return (self.channel == other.channel and bool(self.channel)) or self.products == other.products

    @property
    def n_prongs(self) -> int:
        """Number of charged hadrons: 1 or 3 mostly, 0 for a leptonic decay."""
        return sum(abs(pdg_id) in _CHARGED_HADRONS for pdg_id in self.products)


def decay_products(
    tau: Node, children: Callable[[Node], Sequence[Node]], pdg_id: Callable[[Node], int]
) -> tuple[int, ...]:
    """Long-lived products of a decay, the same whatever resonances a simulator goes through.

    Every particle is followed until leptons, charged and neutral pions, etas and kaons are reached. Neutral kaons all
    count as 311, and photons do not count: they may be radiation.

    Args:
        tau: the last copy of the particle that decays.
        children: the immediate daughters of a node.
        pdg_id: the PDG id of a node.

    Returns:
        PDG ids, sorted.
    """
    found: list[int] = []
    pending = list(children(tau))
    while pending:
        node = pending.pop()
        number = pdg_id(node)
        if abs(number) in _NEUTRAL_KAONS:
            found.append(_KAON)
        elif abs(number) in _LEPTONS_AND_PIONS or number == _ETA:
            found.append(number)
        elif number != PHOTON:
            daughters = children(node)
            pending += daughters
            found += [] if daughters else [number]
    return tuple(sorted(found))


def tau_places(process: Any, taus: Sequence[pylhe.LHEParticle]) -> tuple[int, ...]:
    """Where Pythia lists the taus of an LHE event among those of its hard process: it may order them anew.

    Args:
        process: Pythia's process record, which holds the momenta of the LHE event.
        taus: the outgoing taus of the LHE event.
    """
    listed = _hard_taus(process)
    return tuple(min(range(len(listed)), key=lambda i: _difference(listed[i], tau)) for tau in taus)


def pythia_tau_decays(event: Any, places: Sequence[int]) -> tuple[TauDecay, ...]:
    """Decays of the taus of the hard process in a Pythia event, in the order of the LHE event.

    Args:
        event: the event record, which lists these taus as the process record does.
        places: from `tau_places`.
    """
    made = _hard_taus(event)
    return tuple(_decay_of(event, event[made[place].iBotCopyId()]) for place in places)


def _hard_taus(record: Any) -> list[Any]:
    return [p for p in record if abs(p.id()) == TAU and abs(p.status()) == PYTHIA_HARD_OUTGOING]


def _difference(particle: Any, tau: pylhe.LHEParticle) -> float:
    """How far a particle of the process record is from one of the LHE event: GeV; never the other sign."""
    if particle.id() != tau.id:
        return math.inf
    return math.hypot(particle.px() - tau.px, particle.py() - tau.py, particle.pz() - tau.pz)


def _decay_of(event: Any, tau: Any) -> TauDecay:
    def children(particle: Any) -> list[Any]:
        return [event[i] for i in particle.daughterList()]

    channel = tuple(sorted(child.id() for child in children(tau)))
    return TauDecay(tau.id(), channel, decay_products(tau, children, lambda particle: particle.id()))


@contextmanager
def forced(particle_data: Any, decays: Sequence[TauDecay]) -> Iterator[None]:
    """Let Pythia's taus decay as `decays` say, one channel for each sign, while the context lasts.

    Of several taus of one sign the first one decides; the caller compares what came out. A channel that the table
    does not have is not forced.
    """
    entry = particle_data.particleDataEntryPtr(TAU)
    chosen = {decay.pdg_id: _find_channel(entry, particle_data, decay) for decay in reversed(decays)}
    modes = [entry.channel(i).onMode() for i in range(entry.sizeChannels())]
    try:
        if chosen.get(TAU) is not None or chosen.get(-TAU) is not None:
            for i in range(len(modes)):
                entry.channel(i).onMode(_mode(i, chosen))
        yield
    finally:
        for i, mode in enumerate(modes):
            entry.channel(i).onMode(mode)


def _mode(i: int, chosen: dict[int, int | None]) -> int:
    particle, antiparticle = (chosen.get(sign) in (i, None) for sign in (TAU, -TAU))
    if particle and antiparticle:
        return _ALWAYS
    return _PARTICLE_ONLY if particle else _ANTIPARTICLE_ONLY if antiparticle else _NEVER


def _find_channel(entry: Any, particle_data: Any, decay: TauDecay) -> int | None:
    """Index of a decay in the table, by its immediate daughters or else by its long-lived products."""
    table = [_daughters(entry.channel(i), particle_data, decay.pdg_id) for i in range(entry.sizeChannels())]
    if decay.channel in table:
        return table.index(decay.channel)
    alike = [i for i, ids in enumerate(table) if not decay.channel and _normal(ids) == decay.products]
    return alike[0] if alike else None


def _daughters(channel: Any, particle_data: Any, pdg_id: int) -> Ids:
    ids = [channel.product(k) for k in range(channel.multiplicity())]
    return tuple(sorted(ids if pdg_id > 0 else [particle_data.antiId(i) for i in ids]))


def _normal(ids: Ids) -> Ids:
    return decay_products(0, lambda node: ids if node == 0 else (), lambda node: node)
