"""The module RunPUPPI of Delphes: tracks and neutral candidates weighted by PUPPI."""

from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

import numpy as np

from resim.common.arrays import Floats, Integers
from resim.detector.card import CardModule
from resim.detector.neighbours import Points
from resim.detector.objects import Objects, concatenate
from resim.detector.pileup import Vertices
from resim.detector.puppi import HARD, METRICS, NEUTRAL, PILEUP, Metric, PuppiInput, Region, weights
from resim.detector.random import Stream

_FOUND_VERTICES: Final = 0.7
"""Share of the vertices that count as reconstructed (Delphes)."""
_NUMBERS: Final = (
    *("EtaMinBin", "EtaMaxBin", "PtMinBin", "ConeSizeBin", "RMSPtMinBin", "RMSScaleFactorBin"),
    *("NeutralMinEBin", "NeutralPtSlope", "MetricId", "CombId"),
)
_FLAGS: Final = ("UseCharged", "ApplyLowPUCorr")


@dataclass(frozen=True, slots=True)
class RunPUPPI:
    """Removes tracks that are marked as pile-up and scales the four-momenta of neutral candidates by their weights.

    As in Delphes (`modules/RunPUPPI.cc`) columns are rounded to 32 bits, the pseudorapidity of a particle is taken
    for its rapidity (so massive tracks come out with a larger |pz|), and particles outside of all regions are lost.
    `UseExp`, `UseNoLep` and `ApplyCHS` change nothing there. Delphes never sets the charge of the tracks it hands
    to PUPPI; here they have their own, as was meant.

    Attributes:
        inputs: names of the arrays of tracks, of neutral candidates and of vertices.
        outputs: names of the arrays of all particles, of tracks, and of neutral candidates.
        regions: ranges of |eta| with the shapes that are used there.
        weight_min: neutral candidates with a smaller weight are lost.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    regions: tuple[Region, ...]
    weight_min: float

    @classmethod
    def from_card(cls, module: CardModule) -> "RunPUPPI":
        """Read the module's parameters."""
        inputs = {"Track": "Calorimeter/towers", "Neutral": "Calorimeter/towers", "PV": "PV"}
        outputs = {"": "puppiParticles", "Tracks": "puppiTracks", "Neutrals": "puppiNeutrals"}
        return cls(
            inputs=tuple(module.text(f"{name}InputArray", default) for name, default in inputs.items()),
            outputs=tuple(
                f"{module.name}/{module.text(f'OutputArray{name}', default)}" for name, default in outputs.items()
            ),
            regions=_regions(module),
            weight_min=module.number("MinPuppiWeight", 0.01),
        )

    def run(self, tracks: Objects, neutrals: Objects, vertices: Vertices, stream: Stream) -> tuple[Objects, ...]:  # noqa: ARG002
        """Everything that is left, the tracks of it, the neutral candidates of it."""
        tracks, neutrals = tracks.select(tracks.charge != 0), neutrals.select(neutrals.charge == 0)
        objects = concatenate([tracks, neutrals])
        kind = np.where(objects.subtracted, PILEUP, HARD)
        kind[len(tracks) :] = NEUTRAL
        n_vertices = _found_vertices(vertices.count, objects.event[kind == PILEUP])
        y = _single(objects.eta)
        rounded = _rounded(objects, y)
        particles = PuppiInput(Points(rounded.event, y, rounded.phi), rounded.pt, rounded.eta, y, kind)
        weight = weights(particles, self.regions, n_vertices, self.weight_min)
        kept = np.flatnonzero(weight > 0)
        found = _weighted(rounded.select(kept), weight[kept])
        n_tracks = int(np.count_nonzero(kept < len(tracks)))
        return found, found.select(np.arange(n_tracks)), found.select(np.arange(n_tracks, len(kept)))


def _found_vertices(count: Integers, pileup: Integers) -> Integers:
    """Reconstructed vertices of every event, int64 `(n_events,)`: 1 without tracks `(n_pileup,)` of pile-up."""
    some = np.bincount(pileup, minlength=len(count)) > 0
    return np.where(some, np.maximum((_FOUND_VERTICES * count).astype(np.int64), 1), 1)


def _rounded(objects: Objects, y: Floats) -> Objects:
    """The objects with momenta of 32 bits and the rapidities `(n,)`: pz = mT sinh(y)."""
    pt, phi, mass = (_single(values) for values in (objects.pt, objects.phi, objects.mass))
    slope = np.sinh(y) * np.sqrt(1 + np.divide(mass, pt, out=np.zeros(len(pt)), where=pt > 0) ** 2)
    return replace(objects, ux=np.cos(phi), uy=np.sin(phi), slope=slope).with_pt(pt, mass)


def _single(values: Floats) -> Floats:
    return values.astype(np.float32).astype(np.float64)


def _weighted(objects: Objects, weight: Floats) -> Objects:
    return replace(objects, pt=weight * objects.pt, energy=weight * objects.energy, mass=weight * objects.mass)


def _regions(module: CardModule) -> tuple[Region, ...]:
    """The regions: consecutive columns of the parameters with one range of |eta| are the metrics of one region."""
    table = {name: _numbers(module, name) for name in _NUMBERS} | {name: module.flags(name) for name in _FLAGS}
    n_columns = len(table["EtaMinBin"])
    for name, values in table.items():
        if len(values) != n_columns:
            module.fail(f"has {len(values)} values, EtaMinBin has {n_columns}; want one for each region", name)
    columns = [dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True)]
    grouped = groupby(columns, key=lambda column: (column["EtaMinBin"], column["EtaMaxBin"]))
    return tuple(_region(module, list(group)) for _, group in grouped)


def _region(module: CardModule, columns: list[dict[str, float]]) -> Region:
    first = columns[0]
    return Region(
        eta_min=first["EtaMinBin"],
        eta_max=first["EtaMaxBin"],
        pt_min=first["PtMinBin"],
        neutral_min=first["NeutralMinEBin"],
        neutral_slope=first["NeutralPtSlope"],
        metrics=tuple(_metric(module, column) for column in columns),
    )


def _metric(module: CardModule, column: dict[str, float]) -> Metric:
    if column["MetricId"] not in METRICS:
        module.fail(f"{column['MetricId']:g} is no metric; want one of {METRICS}", "MetricId")
    for name in ("ConeSizeBin", "RMSScaleFactorBin"):
        if not column[name] > 0:
            module.fail(f"{column[name]:g} is not positive", name)
    return Metric(
        metric=int(column["MetricId"]),
        charged=bool(column["UseCharged"]),
        adjust=bool(column["ApplyLowPUCorr"]),
        multiply=column["CombId"] == 1,
        cone=column["ConeSizeBin"],
        pt_min=column["RMSPtMinBin"],
        scale=column["RMSScaleFactorBin"],
    )


def _numbers(module: CardModule, name: str) -> list[float]:
    if name not in module.parameters:
        module.fail(f"no {name}; add `add {name} ...` with one value for each range of |eta|")
    values = list(module.numbers([module.parameters[name]], name)[0])
    if not np.isfinite(values).all():
        module.fail(f"{values} are not all finite", name)
    return values
