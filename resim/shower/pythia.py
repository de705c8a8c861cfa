"""Pythia 8 as two separate steps, parton level and hadron level, each with its own seed for every event."""

import re
from collections.abc import Sequence
from contextlib import nullcontext
from functools import lru_cache
from typing import Any, Final

import pylhe
import pythia8mc

from resim.common.errors import InputError
from resim.common.silence import printed_by, stdout_silenced
from resim.common.units import LHE_INCOMING, LHE_OUTGOING, TAU
from resim.hard_scatter.lhe_reading import Beams
from resim.shower.event_record import FinalParticles, Records, invisible_ids, unseen_products
from resim.shower.tau import TauDecay, forced, pythia_tau_decays, tau_places

_INIT_SEED: Final = 1
"""Multiparton interactions are tabulated with random numbers at `init`; one constant seed keeps events comparable."""

_CODE_OWNED_SETTINGS: Final = (
    "Print:quiet = on",
    "SLHA:verbose = 0",
    "Beams:frameType = 5",  # events come from an LHAup object
    "Random:setSeed = on",
    f"Random:seed = {_INIT_SEED}",
    "HadronLevel:all = off",  # `hadronize` runs it by hand, with its own seed
)
_UNIT_WEIGHT_STRATEGY: Final = 3
"""IDWTUP = 3: every event is accepted as it is (arXiv:hep-ph/0109068). The file's weight is kept in the row."""
_PROCESS_ID: Final = 1
_COMPLAINTS: Final = 2
"""How many of Pythia's error messages are quoted: the second one often is the consequence of the first."""


class EventFeed(pythia8mc.LHAup):  # type: ignore[misc]
    """Hands one LHE event to Pythia, again and again if Pythia starts over."""

    def __init__(self, beams: Beams, slha: str = "") -> None:
        super().__init__()
        self.beams = beams
        self.slha = slha
        self.event: pylhe.LHEEvent | None = None

    def setInit(self) -> bool:  # noqa: N802 - Pythia's name
        """Tell Pythia beams, weight strategy, and what the header of the file says of particles."""
        if self.slha:
            self.setInfoHeader("slha", self.slha)
        self.setBeamA(self.beams.pdg_id_a, self.beams.energy_a)
        self.setBeamB(self.beams.pdg_id_b, self.beams.energy_b)
        self.setStrategy(_UNIT_WEIGHT_STRATEGY)
        self.addProcess(_PROCESS_ID, 1.0, 0.0, 1.0)
        return True

    def setEvent(self, process: int = 0) -> bool:  # noqa: N802, ARG002 - Pythia's signature
        """Tell Pythia the event."""
        if self.event is None:
            return False
        info = self.event.eventinfo
        # A scale of 0 would silently switch the shower off; with -1 Pythia takes the scale of the process.
        scale = info.scale if info.scale > 0 else -1.0
        self.setProcess(_PROCESS_ID, 1.0, scale, info.aqed, info.aqcd)
        first, second = (p for p in self.event.particles if p.status == LHE_INCOMING)
        # As Pythia's own reader: beams that are not hadrons, as photons, take the partons' momenta from here.
        self.setIdX(first.id, second.id, first.e / self.beams.energy_a, second.e / self.beams.energy_b)
        for p in self.event.particles:
            mothers_and_colours = (p.mother1, p.mother2, p.color1, p.color2)
            self.addParticle(p.id, p.status, *mothers_and_colours, p.px, p.py, p.pz, p.e, p.m, p.lifetime, p.spin)
        return True


class Pythia:
    """One initialized Pythia: hard scatter → parton level → final particles.

    An event depends on its seeds alone, not on the events before it.

    Args:
        beams: the beams.
        settings: one `readString` each.
        slha: the `<slha>` element of the file's header: masses, decays and new particles (arXiv:hep-ph/0311123,
            arXiv:0712.3311), taken as Pythia's own reader does: the Standard Model and the Higgs stay as they are.

    Attributes:
        invisible_ids: int32 `(n,)`, sorted absolute PDG ids of what Pythia does not call visible (`ID:isVisible`,
            Pythia manual, Particle Data Scheme).
        unseen_products: absolute PDG ids that are invisible and stable with these settings.

    Raises:
        InputError: Pythia refuses a setting or cannot be initialized.
    """

    def __init__(self, beams: Beams, settings: Sequence[str], slha: str = "") -> None:
        self._pythia = pythia8mc.Pythia("", False)
        self._feed = EventFeed(beams, slha)
        self._final_particles = FinalParticles()
        self._tau_places: tuple[int, ...] = ()
        with stdout_silenced():
            for line in (*_CODE_OWNED_SETTINGS, *settings):
                if not self._pythia.readString(line):
                    raise InputError(f"Pythia refuses the setting {line!r}; correct or remove it in the Pythia card")
            self._pythia.setLHAupPtr(self._feed)
            if not self._pythia.init():
                raise InputError(
                    f"Pythia cannot be initialized for {beams} with {list(settings)}: {self.complaints()};"
                    " check the cards"
                )
        self._info = self._pythia.infoPython()  # a copy, which points to the weights of the latest event
        self.invisible_ids = invisible_ids(self._pythia.particleData)
        self.unseen_products = unseen_products(self._pythia.particleData)

    def shower(self, event: pylhe.LHEEvent, seed: int, keep: bool = True) -> Any | None:
        """Run the parton level: shower, multiparton interactions, beam remnants.

        Args:
            event: the hard scatter.
            seed: Pythia seed.
            keep: return a copy that can be hadronized several times, not the record itself, which can be once.

        Returns:
            The parton-level record for `hadronize`, or None if Pythia gave the event up.

        Raises:
            InputError: the settings make Pythia weight its events, which views do not keep.
        """
        self._feed.event = event
        self._pythia.rndm.init(seed)
        if not self._pythia.next():
            return None
        if (weight := self._info.weight()) != 1.0:
            raise InputError(
                f"Pythia gives an event the weight {weight:.3g}, which views do not keep; remove the settings that"
                " enhance or bias (Enhancements, EnhancedSplittings, variations) from its card"
            )
        taus = [p for p in event.particles if p.status == LHE_OUTGOING and abs(p.id) == TAU]
        self._tau_places = tau_places(self._pythia.process, taus) if taus else ()
        return pythia8mc.Event(self._pythia.event) if keep else self._pythia.event

    def hadronize(self, parton_level: Any, seed: int, taus: Sequence[TauDecay] = ()) -> Records | None:
        """Hadronize a record of the latest `shower` call and decay what is unstable.

        The record must be hadronized by the instance that made it, and junctions must not be searched for anew
        (the argument False): both would bias the sample (`tests/resim/shower/test_rehadronization.py`).

        Args:
            parton_level: the record.
            seed: Pythia seed.
            taus: channels in which tau leptons have to decay; empty: they are free.

        Returns:
            The final particles, or None if Pythia gave the event up.
        """
        self._pythia.event.assign(parton_level)  # does nothing if it is the record itself
        self._pythia.rndm.init(seed)
        with forced(self._pythia.particleData, taus) if taus else nullcontext():
            made = self._pythia.forceHadronLevel(False)
        return self._final_particles(self._pythia.event) if made else None

    def is_resonance(self, pdg_id: int) -> bool:
        """Whether Pythia decays a particle of the hard process before the shower."""
        data = self._pythia.particleData
        return bool(data.isResonance(pdg_id) and data.mayDecay(pdg_id))

    def decay(self, event: pylhe.LHEEvent, seed: int) -> Any | None:
        """The process record of an event, with its resonances decayed; None if Pythia gave it up."""
        self._feed.event = event
        self._pythia.rndm.init(seed)
        return pythia8mc.Event(self._pythia.process) if self._pythia.next() else None

    def complaints(self) -> str:
        """The errors that Pythia has met so far, the most frequent first, in its own words."""
        found = re.findall(r"\|\s+(\d+)\s+(Error|Abort) (?:in|from) (.*?)\s*\|", printed_by(self._pythia.stat))
        ranked = sorted(found, key=lambda message: (message[1] != "Error", -int(message[0])))
        return "; ".join(" ".join(text.split()) for _, _, text in ranked[:_COMPLAINTS]) or "no reason"

    def tau_decays(self) -> tuple[TauDecay, ...]:
        """How the taus of the hard process decayed in the latest `hadronize`, in the order of the LHE event."""
        return pythia_tau_decays(self._pythia.event, self._tau_places) if self._tau_places else ()


@lru_cache(maxsize=16)
def pythia_for(beams: Beams, settings: tuple[str, ...], slha: str = "") -> Pythia:
    """The process's Pythia for these beams and settings: `init` takes half a second, events do not disturb it."""
    return Pythia(beams, settings, slha)
