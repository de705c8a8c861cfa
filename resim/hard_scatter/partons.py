"""Choose the partons and resonances of a hard scatter that become rows."""

import math
from dataclasses import dataclass

import pylhe

from resim.config import Selection


@dataclass(frozen=True, slots=True)
class Parton:
    """A hard parton or resonance: PDG id, label, and kinematics in GeV and radians."""

    pdg_id: int
    label: str
    px: float
    py: float
    pz: float
    energy: float
    mass: float

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


def find_partons(event: pylhe.LHEEvent, labels: dict[int, str]) -> list[Parton]:
    """Outgoing particles and resonances whose |PDG id| is in `labels`, each physical one once.

    Of a resonance that recoils, listed several times by some generators, the last copy counts. What comes from
    a particle that is a row itself is none: with labels for t and W, the W of a top decay belongs to the top.
    """
    particles = event.particles
    mothers = [_mothers(particle) for particle in particles]
    candidates = {i for i, p in enumerate(particles) if p.status > 0 and abs(p.id) in labels}
    for i in sorted(candidates):
        if any(i in mothers[j] and particles[j].id == particles[i].id for j in candidates):
            candidates.discard(i)
    kept = [i for i in sorted(candidates) if not _ancestors(i, mothers) & candidates]
    return [_parton(particles[i], labels[abs(particles[i].id)]) for i in kept]


def _mothers(particle: pylhe.LHEParticle) -> set[int]:
    return {number - 1 for number in (particle.mother1, particle.mother2) if number > 0}


def _ancestors(i: int, mothers: list[set[int]]) -> set[int]:
    found: set[int] = set()
    pending = set(mothers[i])
    while pending:
        found |= pending
        pending = {m for j in pending for m in mothers[j]} - found
    return found


def _parton(p: pylhe.LHEParticle, label: str) -> Parton:
    return Parton(p.id, label, p.px, p.py, p.pz, p.e, p.m)


def rejection(parton: Parton, selection: Selection) -> str | None:
    """Name of the first cut that the parton fails, or None if it passes all of them."""
    if parton.pt == 0:
        return "along_the_beam"  # neither azimuth nor pseudorapidity, and no jet inside any acceptance
    if parton.pt < selection.parton_pt_min:
        return "parton_pt_min"
    if selection.parton_pt_max is not None and parton.pt > selection.parton_pt_max:
        return "parton_pt_max"
    if selection.parton_abs_eta_max is not None and abs(parton.eta) > selection.parton_abs_eta_max:
        return "parton_abs_eta_max"
    return None
