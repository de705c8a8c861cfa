"""Choose the partons and resonances of a hard scatter that become rows."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pylhe

from resim.card.generation_card import Selection
from resim.common.row_counts import LossReason
from resim.common.units import INVISIBLE_PDG_IDS, LHE_OUTGOING, TAU

Label = str | dict[int, str]
"""A label, or for tau leptons number of charged hadrons → label."""
FourMomentum = tuple[float, float, float, float]
"""px, py, pz, energy in GeV."""
_RESONANCES: Final = frozenset({6, 23, 24, 25, 32, 33, 34, 35, 36, 37})
"""t, Z, W, H and their heavier relatives: Pythia decays them in the process level if the file does not."""


@dataclass(frozen=True, slots=True)
class Parton:
    """A hard parton or resonance.

    Attributes:
        pdg_id: its PDG id.
        label: its label, or labels that depend on its decay.
        px, py, pz, energy, mass: GeV.
        products: momenta of its visible decay products in the LHE event; empty if it is not decayed there.
        tau: its number among the outgoing taus of the event, None for another particle.
    """

    pdg_id: int
    label: Label
    px: float
    py: float
    pz: float
    energy: float
    mass: float
    products: tuple[FourMomentum, ...] = ()
    tau: int | None = None

    @property
    def pt(self) -> float:
        """Transverse momentum in GeV."""
        return math.hypot(self.px, self.py)

    @property
    def eta(self) -> float:
        """Pseudorapidity; infinite along the beam."""
        return math.asinh(self.pz / self.pt) if self.pt > 0 else math.copysign(math.inf, self.pz)

    @property
    def phi(self) -> float:
        """Azimuth in (-pi, pi]."""
        return math.atan2(self.py, self.px)


def find_partons(
    event: pylhe.LHEEvent, labels: Mapping[int, Label], unseen: Collection[int] = INVISIBLE_PDG_IDS
) -> list[Parton]:
    """Outgoing particles and resonances whose |PDG id| is in `labels`, each physical one once.

    Of a resonance that recoils, listed several times by some generators, the last copy counts. What comes from
    a particle that is a row itself is none: with labels for t and W, the W of a top decay belongs to the top.

    Args:
        event: the hard scatter.
        labels: |PDG id| → label.
        unseen: absolute PDG ids of decay products that leave nothing visible.
    """
    particles = event.particles
    candidates = {i for i, p in enumerate(particles) if p.status > 0 and abs(p.id) in labels}
    if not candidates:
        return []
    taus = outgoing_taus(event)
    mothers = mothers_of(event)
    if candidates.isdisjoint(set().union(*mothers)):  # nothing decays, as in most di-jet events
        products: dict[int, tuple[FourMomentum, ...]] = dict.fromkeys(sorted(candidates), ())
    else:
        products = _products_of_rows(event, candidates, mothers, unseen)
    return [
        Parton(p.id, labels[abs(p.id)], p.px, p.py, p.pz, p.e, p.m, visible, taus.get(i))
        for p, i, visible in ((particles[i], i, visible) for i, visible in products.items())
    ]


def _products_of_rows(
    event: pylhe.LHEEvent, candidates: set[int], mothers: Sequence[set[int]], unseen: Collection[int]
) -> dict[int, tuple[FourMomentum, ...]]:
    """Index of each candidate that is neither an earlier copy nor comes from another → its visible products."""
    particles = event.particles
    last = {
        i for i in candidates if not any(i in mothers[j] and particles[j].id == particles[i].id for j in candidates)
    }
    ancestors = ancestors_of(mothers)
    seen = [
        (j, (p.px, p.py, p.pz, p.e))
        for j, p in enumerate(particles)
        if p.status == LHE_OUTGOING and abs(p.id) not in unseen
    ]
    kept = [i for i in sorted(last) if not ancestors[i] & last]
    return {i: tuple(momentum for j, momentum in seen if i in ancestors[j]) for i in kept}


def outgoing_taus(event: pylhe.LHEEvent) -> dict[int, int]:
    """Index in the event → number, of every tau that leaves the hard scatter undecayed."""
    indices = [i for i, p in enumerate(event.particles) if p.status == LHE_OUTGOING and abs(p.id) == TAU]
    return {index: number for number, index in enumerate(indices)}


def mothers_of(event: pylhe.LHEEvent) -> list[set[int]]:
    """Indices of the mothers of every particle."""
    return [{number - 1 for number in (p.mother1, p.mother2) if number > 0} for p in event.particles]


def ancestors_of(mothers: Sequence[set[int]]) -> list[set[int]]:
    """Indices of all that every particle comes from, directly or not."""
    found = []
    for own in mothers:
        ancestors: set[int] = set()
        pending = set(own)
        while pending:
            ancestors |= pending
            pending = {m for j in pending for m in mothers[j]} - ancestors
        found.append(ancestors)
    return found


def rejection(parton: Parton, selection: Selection) -> LossReason | None:
    """The first cut that the parton fails, or None if it passes all of them."""
    if parton.pt == 0:
        return LossReason.ALONG_THE_BEAM  # neither azimuth nor pseudorapidity, and no jet inside any acceptance
    if parton.pt < selection.parton_pt_min:
        return LossReason.PARTON_PT_MIN
    if selection.parton_pt_max is not None and parton.pt > selection.parton_pt_max:
        return LossReason.PARTON_PT_MAX
    if selection.parton_abs_eta_max is not None and abs(parton.eta) > selection.parton_abs_eta_max:
        return LossReason.PARTON_ABS_ETA_MAX
    return None


def undecayed_resonances(event: pylhe.LHEEvent) -> set[tuple[int, int]]:
    """|PDG id| of each outgoing resonance behind that of itself and of all that it comes from."""
    left = [i for i, p in enumerate(event.particles) if p.status == LHE_OUTGOING and abs(p.id) in _RESONANCES]
    if not left:
        return set()
    ancestors = ancestors_of(mothers_of(event))
    return {(abs(event.particles[j].id), abs(event.particles[i].id)) for i in left for j in (i, *ancestors[i])}
