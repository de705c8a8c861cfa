"""Resolution of directions (Delphes' AngularSmearing)."""

from dataclasses import dataclass, replace

import numpy as np

from resim.detector.card import CardModule
from resim.detector.formula import Formula
from resim.detector.objects import Objects
from resim.detector.random import Stream
from resim.detector.tracking import KINEMATICS, ends_of, evaluate


@dataclass(frozen=True, slots=True)
class AngularSmearing:
    """Smears eta and phi of momenta with independent normal numbers; pT and mass stay.

    As in Delphes (`modules/AngularSmearing.cc`), the resolution of phi (rad) is evaluated at the smeared eta.
    """

    module: CardModule
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    eta: Formula
    phi: Formula

    @classmethod
    def from_card(cls, module: CardModule) -> "AngularSmearing":
        """Read the module's parameters."""
        formulas = (module.formula(f"{name}ResolutionFormula", KINEMATICS, "0.0") for name in ("Eta", "Phi"))
        return cls(module.without_values(), *ends_of(module), *formulas)

    def run(self, tracks: Objects, stream: Stream) -> tuple[Objects, ...]:
        """The tracks with measured directions."""
        sigma = np.abs(evaluate(self.module, "EtaResolutionFormula", self.eta, tracks, outer=False))
        eta = tracks.eta + sigma * stream.normal(tracks.event, tracks.item, 0)
        turned = replace(tracks, slope=np.sinh(eta))
        sigma = np.abs(evaluate(self.module, "PhiResolutionFormula", self.phi, turned, outer=False))
        phi = tracks.phi + sigma * stream.normal(tracks.event, tracks.item, 1)
        turned = replace(turned, ux=np.cos(phi), uy=np.sin(phi))
        return (turned.with_pt(tracks.pt).select(tracks.pt > 0),)
