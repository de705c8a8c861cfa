"""Pile-up modules of a card: known, so that cards with them are read and listed, but not yet run."""

from dataclasses import dataclass
from typing import Any, NoReturn

from resim.detector.card import CardModule


@dataclass(frozen=True, slots=True)
class PileUp:
    """A PileUpMerger or TrackPileUpSubtractor."""

    module: CardModule
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @classmethod
    def merger(cls, module: CardModule) -> "PileUp":
        """Read the arrays of a PileUpMerger."""
        output = module.text("ParticleOutputArray", "stableParticles")
        return cls(module, (module.text("InputArray", "Delphes/stableParticles"),), (f"{module.name}/{output}",))

    @classmethod
    def subtractor(cls, module: CardModule) -> "PileUp":
        """Read the pairs of arrays of a TrackPileUpSubtractor."""
        pairs = module.pairs("InputArray")
        return cls(module, tuple(name for name, _ in pairs), tuple(f"{module.name}/{name}" for _, name in pairs))

    def run(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse."""
        self.module.fail(
            f"pile-up needs a pool of minimum-bias events, which the detector stage does not have yet; "
            f"use a card without {self.module.kind}, such as cards/delphes/cms.tcl"
        )
