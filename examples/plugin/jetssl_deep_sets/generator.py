"""A toy generator: each outgoing parton becomes a few pions along it, which share its momentum at random."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pylhe
from pydantic import Field

from resim.card.stages import GeneratorSection
from resim.hard_scatter.lhe_reading import Beams
from resim.shower.event_record import FINAL_PARTICLE
from resim.shower.generator import Generator
from resim.shower.hepmc import ShoweredEvent

PION_MASS = 0.13957  # GeV


class PionsSection(GeneratorSection):
    """Pions along partons; a toy."""

    name: Literal["pions"] = "pions"
    pions: int = Field(10, ge=1, le=1000)
    """of each outgoing parton"""
    kick: float = Field(0.5, ge=0)
    """GeV, spread of their transverse momenta"""


class Pions(Generator):
    """Called with the beams and what a card says as `options`."""

    section = PionsSection

    def __init__(self, beams: Beams, options: PionsSection) -> None:
        self.options = options

    def simulate(self, events: Sequence[pylhe.LHEEvent], seed: int) -> list[ShoweredEvent | None]:
        """All random numbers come from the seed, so the same slice is always made alike."""
        rng = np.random.Generator(np.random.Philox(seed))
        return [ShoweredEvent(self._pions(event, rng), ()) for event in events]

    def _pions(self, event: pylhe.LHEEvent, rng: np.random.Generator) -> np.ndarray:
        partons = np.array([(p.px, p.py, p.pz) for p in event.particles if p.status == 1]).reshape(-1, 1, 3)
        number, n_pions = len(partons), self.options.pions
        share = rng.dirichlet(np.ones(n_pions), number)[:, :, None]
        momentum = (share * partons + rng.normal(0, self.options.kick, (number, n_pions, 3))).reshape(-1, 3)
        pions = np.zeros(len(momentum), FINAL_PARTICLE)
        pions["pdg_id"] = rng.choice([111, 211, -211], len(pions))
        pions["px"], pions["py"], pions["pz"] = momentum.T
        pions["energy"], pions["mass"] = np.sqrt((momentum**2).sum(1) + PION_MASS**2), PION_MASS
        return pions
