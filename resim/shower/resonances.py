"""Resonances that an LHE file leaves undecayed, decayed once and the same for all views (`decay: frozen`)."""

from dataclasses import dataclass, replace
from typing import Any, Final

import pylhe

from resim.common.seeds import SeedKey, pythia_seed
from resim.common.units import LHE_INCOMING, LHE_INTERMEDIATE, LHE_OUTGOING, PYTHIA_HARD_INCOMING
from resim.shower.pythia import Pythia

_ATTEMPTS: Final = 5
"""How often an event is tried that Pythia cannot decay, each time with another derived seed."""
_SYSTEM_AND_BEAMS: Final = 3
"""Entries of Pythia's process record before the hard process."""
_NO_SPIN: Final = 9.0
"""Spin of a particle whose helicity is not known (arXiv:hep-ph/0109068)."""


@dataclass(frozen=True, slots=True)
class ResonanceDecays:
    """Decays what an event leaves undecayed, with Pythia's branching ratios and masses.

    Attributes:
        pythia: decides what is a resonance, and decays it.
        run_seed: the run's seed.
        sha256: identity of the source.
    """

    pythia: Pythia
    run_seed: int
    sha256: str

    def __call__(self, event: pylhe.LHEEvent, index: int) -> pylhe.LHEEvent:
        """The event with its outgoing resonances decayed; itself if it has none, or Pythia cannot decay them.

        Args:
            event: the hard scatter.
            index: of the event in its file: its decays depend on that, on nothing before.
        """
        outgoing = (p.id for p in event.particles if p.status == LHE_OUTGOING)
        if not any(map(self.pythia.is_resonance, outgoing)):
            return event
        for attempt in range(_ATTEMPTS):
            key = SeedKey(self.run_seed, self.sha256, index, "", "decay", attempt)
            if (process := self.pythia.decay(event, pythia_seed(key))) is not None:
                particles = [_particle(process[i]) for i in range(_SYSTEM_AND_BEAMS, process.size())]
                return replace(
                    event, eventinfo=replace(event.eventinfo, nparticles=len(particles)), particles=particles
                )
        return event


def _particle(entry: Any) -> pylhe.LHEParticle:
    """An entry of Pythia's process record as a particle of an LHE event, whose numbers begin with the partons."""
    status = LHE_INCOMING if entry.status() == PYTHIA_HARD_INCOMING else LHE_OUTGOING
    mothers = [max(0, mother - _SYSTEM_AND_BEAMS + 1) for mother in (entry.mother1(), entry.mother2())]
    return pylhe.LHEParticle(
        id=entry.id(),
        status=status if entry.isFinal() or status == LHE_INCOMING else LHE_INTERMEDIATE,
        mother1=mothers[0],
        mother2=mothers[1],
        color1=entry.col(),
        color2=entry.acol(),
        px=entry.px(),
        py=entry.py(),
        pz=entry.pz(),
        e=entry.e(),
        m=entry.m(),
        lifetime=entry.tau(),
        spin=entry.pol() if abs(entry.pol()) <= 1 else _NO_SPIN,
    )
