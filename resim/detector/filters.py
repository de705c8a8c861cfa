"""Modules that let some objects pass: by their PDG id."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from resim.common.arrays import Integers
from resim.common.tcl.values import text_of
from resim.detector.card import CardModule
from resim.detector.objects import Objects
from resim.detector.random import Stream

_STABLE: Final = 1
"""Status of what detectors are given here."""


@dataclass(frozen=True, slots=True)
class PdgCodeFilter:
    """Lets pass what is above a pT and has none of some PDG ids, or the opposite (`Invert`).

    Attributes:
        inputs, outputs: names of the arrays.
        pt_min: GeV.
        pdg_ids: with their signs.
        invert: whether those pass that would not.
        charge: the charge that they must have, None for any.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    pt_min: float
    pdg_ids: Integers
    invert: bool
    charge: float | None

    @classmethod
    def from_card(cls, module: CardModule) -> "PdgCodeFilter":
        """Read the module's parameters."""
        if module.flag("RequireNotPileup", False):
            module.fail("a filter against pile-up is not supported; use a TrackPileUpSubtractor", "RequireNotPileup")
        if module.flag("RequireStatus", False) and module.number("Status", 1) != _STABLE:
            module.fail("only particles with status 1 reach the detector", "Status")
        names = [text_of(name) for name in module.items("PdgCode")] if "PdgCode" in module.parameters else []
        if wrong := [name for name in names if not name.strip().lstrip("-").isdigit()]:
            module.fail(f"{wrong[0][:40]!r} is not a PDG id", "PdgCode")
        return cls(
            inputs=(module.text("InputArray", "Delphes/allParticles"),),
            outputs=(f"{module.name}/{module.text('OutputArray', 'filteredParticles')}",),
            pt_min=module.number("PTMin", 0.0),
            pdg_ids=np.array([int(name) for name in names], np.int64),
            invert=module.flag("Invert", False),
            charge=module.number("Charge", 1.0) if module.flag("RequireCharge", False) else None,
        )

    def run(self, objects: Objects, stream: Stream) -> tuple[Objects, ...]:  # noqa: ARG002
        """Those that pass."""
        passes = (objects.pt >= self.pt_min) & ~np.isin(objects.pdg_id, self.pdg_ids)
        passes ^= self.invert
        return (objects.select(passes & (objects.charge == self.charge) if self.charge is not None else passes),)
