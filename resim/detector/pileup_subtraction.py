"""Subtraction of the charged particles of pile-up (Delphes' TrackPileUpSubtractor and RecoPuFilter)."""

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

    In Delphes it also marks these tracks (`IsRecoPU`) where they are; so its input arrays are outputs, too: modules
    behind it get the marked tracks.

    Attributes:
        module: the module of the card.
        inputs: names of the arrays of tracks, and last that of the vertices.
        outputs: names of the arrays that are left of the tracks, then of the marked tracks.
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
            outputs=(*(f"{module.name}/{name}" for _, name in pairs), *(name for name, _ in pairs)),
            formula=module.formula("ZVertexResolution", KINEMATICS, "0.001"),
            pt_min=module.number("PTMin", 0.0),
        )

    def narrowed(self, wanted: Collection[str]) -> "TrackPileUpSubtractor":
        """The module with only those arrays that are in `wanted`, marked or without pile-up."""
        pairs = zip(self.inputs[:-1], self.outputs, strict=False)
        made = {output: name for name, output in pairs if output in wanted or name in wanted}
        return replace(self, inputs=(*made.values(), self.inputs[-1]), outputs=(*made, *made.values()))

    def run(self, *arrays: Any, stream: Stream) -> tuple[Objects, ...]:  # noqa: ARG002
        """The tracks that are left, array by array, then all of them with their marks."""
        *lists, vertices = arrays
        marked = [self._marked(tracks, vertices) for tracks in lists]
        left = (tracks.select(~tracks.subtracted & (tracks.pt > self.pt_min)) for tracks in marked)
        return (*left, *marked)

    def _marked(self, tracks: Objects, vertices: Vertices) -> Objects:
        subtracted = np.zeros(len(tracks), bool)
        pileup = vertices.is_pileup(tracks)
        event, particles = tracks.event[pileup], vertices.particles
        rows = particles.offsets[event] + tracks.item[pileup]
        columns = {name: getattr(particles, name)[rows] for name in sorted(self.formula.variables)}
        resolution = finite(self.module, "ZVertexResolution", self.formula(columns, len(rows)), columns)
        subtracted[pileup] = np.abs(particles.vz[rows] - vertices.z[event]) > 1e3 * resolution
        return replace(tracks, subtracted=subtracted)


@dataclass(frozen=True, slots=True)
class RecoPuFilter:
    """Removes the tracks that a TrackPileUpSubtractor before it marked as pile-up."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @classmethod
    def from_card(cls, module: CardModule) -> "RecoPuFilter":
        """Read the names of input and output."""
        source = module.text("InputArray", "Delphes/allParticles")
        return cls((source,), (f"{module.name}/{module.text('OutputArray', 'filteredParticles')}",))

    def run(self, objects: Objects, stream: Stream) -> tuple[Objects, ...]:  # noqa: ARG002
        """What is not marked."""
        return (objects.select(~objects.subtracted),)
