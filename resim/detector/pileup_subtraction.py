"""Subtraction of the charged particles of pile-up."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from resim.common.tcl.values import text_of
from resim.detector.card import CardModule
from resim.detector.formula import Formula
from resim.detector.objects import Objects
from resim.detector.pileup import Vertices
from resim.detector.random import Stream
from resim.detector.tracking import KINEMATICS, finite


@dataclass(frozen=True, slots=True)
class TrackPileUpSubtractor:
    """Removes tracks of pile-up whose vertex is farther from the hard vertex than the resolution `ZVertexResolution`.

    Attributes:
        module: the module of the card.
        inputs: names of the arrays of tracks, and last that of the vertices.
        outputs: names of the arrays that are left of the tracks.
        formula: `ZVertexResolution`, m, a function of pT, eta, phi and energy.
        pt_min: GeV; softer tracks are removed.
    """

    module: CardModule
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    formula: Formula
    pt_min: float

    @classmethod
    def from_card(cls, module: CardModule) -> "TrackPileUpSubtractor":
        """Read the module's parameters."""
        pairs = [(text_of(name), text_of(output)) for name, output in module.pairs("InputArray")]
        return cls(
            module=module.without_values(),
            inputs=(*(name for name, _ in pairs), module.text("VertexInputArray", "PileUpMerger/vertices")),
            outputs=tuple(f"{module.name}/{name}" for _, name in pairs),
            formula=module.formula("ZVertexResolution", KINEMATICS, "0.001"),
            pt_min=module.number("PTMin", 0.0),
        )

    def narrowed(self, wanted: Collection[str]) -> "TrackPileUpSubtractor":
        """The module with only those arrays whose outputs are in `wanted`."""
        made = {output: name for name, output in zip(self.inputs, self.outputs, strict=False) if output in wanted}
        return replace(self, inputs=(*made.values(), self.inputs[-1]), outputs=tuple(made))

    def run(self, *arrays: Any, stream: Stream) -> tuple[Objects, ...]:  # noqa: ARG002
        """The tracks that are left, array by array."""
        *lists, vertices = arrays
        return tuple(self._kept(tracks, vertices) for tracks in lists)

    def _kept(self, tracks: Objects, vertices: Vertices) -> Objects:
        kept = tracks.pt > self.pt_min
        pileup = vertices.is_pileup(tracks)
        event, particles = tracks.event[pileup], vertices.particles
        rows = particles.offsets[event] + tracks.item[pileup]
        columns = {name: getattr(particles, name)[rows] for name in sorted(self.formula.variables)}
        resolution = finite(self.module, "ZVertexResolution", self.formula(columns, len(rows)), columns)
        kept[pileup] &= np.abs(particles.vz[rows] - vertices.z[event]) <= 1e3 * resolution
        return tracks.select(kept)
