"""Pile-up per particle identification: the probability that a neutral particle is of the hard collision.

D. Bertolini, P. Harris, M. Low, N. Tran, JHEP 10 (2014) 059 (arXiv:1407.6013), section 2, as Delphes 3.5.1 has it
(`external/PUPPI/PuppiContainer.cc`, `PuppiAlgo.cc`). The shape alpha of a particle is a sum over its neighbours; the
median and the spread of alpha of those particles that are certainly pile-up make its chi², and the probability of a
smaller chi² is its weight.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from resim.common.arrays import Floats, Integers
from resim.detector.neighbours import Points, pairs_within, turn_between

NEUTRAL, HARD, PILEUP = range(3)
"""What a particle is: neutral, a track of the hard collision, a track of pile-up."""
UNWEIGHTED: Final = -1
"""Metric of a region whose particles all have the weight 1."""
METRICS: Final = (UNWEIGHTED, 0, 1, 2, 3, 4, 5)
_LOGARITHMS: Final = (0, 3, 5)
"""Metrics that are logarithms; 0 stands for no neighbour at all."""
_CONE_AND_SELF: Final = 1
_SAME: Final = 1e-4
"""Squared distance below which a neighbour is taken for the particle itself."""
_SMALLEST_VARIANCE: Final = 1e-5
"""Stands for a variance of 0."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One shape of a region.

    Attributes:
        metric: `MetricId`; sums over neighbours of 0: log of pT/R², 1: pT with its own, 2: 1/R², 3: log of 1/R²,
            4: pT, 5: log of (pT/R)².
        charged: `UseCharged`: neighbours are tracks of the hard collision, the reference is tracks of pile-up;
            else both are all particles.
        adjust: `ApplyLowPUCorr`: the spread is that below the median, which is moved for the tracks of the hard
            collision that lie below it.
        multiply: `CombId` 1: probabilities are multiplied with those before; else chi² are added.
        cone: `ConeSizeBin`, radius in rapidity and azimuth.
        pt_min: `RMSPtMinBin`, GeV: softer particles do not count in median and spread.
        scale: `RMSScaleFactorBin`, factor of the spread.
    """

    metric: int
    charged: bool
    adjust: bool
    multiply: bool
    cone: float
    pt_min: float
    scale: float

    def values(self, particles: "PuppiInput", rows: Integers) -> Floats:
        """The shape of some particles, float64 `(n_rows,)`."""
        if self.metric == UNWEIGHTED:
            return np.ones(len(rows))
        pool = np.flatnonzero(particles.kind == HARD) if self.charged else np.arange(len(particles.pt))
        points = particles.points
        i, j = pairs_within(points.select(rows), points.select(pool), self.cone)
        distance2 = (particles.eta[rows[i]] - particles.eta[pool[j]]) ** 2
        distance2 += turn_between(points.phi[rows[i]], points.phi[pool[j]]) ** 2
        other = distance2 >= _SAME
        i, pt, distance2 = i[other], particles.pt[pool[j[other]]], distance2[other]
        terms = {0: pt / distance2, 1: pt, 2: 1 / distance2, 3: 1 / distance2, 4: pt, 5: pt * (pt / distance2)}
        sums: Floats = np.bincount(i, weights=terms[self.metric], minlength=len(rows)).astype(np.float64)
        if self.metric == _CONE_AND_SELF:
            sums += particles.pt[rows]
        if self.metric in _LOGARITHMS:
            np.log(sums, out=sums, where=sums != 0)
        return sums


@dataclass(frozen=True, slots=True)
class Region:
    """A range of |eta| with its shapes.

    Attributes:
        eta_min, eta_max: range of |eta|, with its edges.
        pt_min: GeV; softer particles belong to no region.
        neutral_min, neutral_slope: GeV; a neutral particle whose weighted pT is below neutral_min + n neutral_slope,
            where n is the number of vertices that are reconstructed, is lost.
        metrics: the shapes, one or more.
    """

    eta_min: float
    eta_max: float
    pt_min: float
    neutral_min: float
    neutral_slope: float
    metrics: tuple[Metric, ...]


@dataclass(frozen=True, slots=True)
class PuppiInput:
    """Particles of a batch of events, column by column `(n,)`.

    Attributes:
        points: event, rapidity and azimuth.
        pt: float64, GeV.
        eta: float64, pseudorapidity of a particle with this rapidity.
        region_eta: float64, pseudorapidity that chooses the region of the weight.
        kind: int64, `NEUTRAL`, `HARD` or `PILEUP`.
    """

    points: Points
    pt: Floats
    eta: Floats
    region_eta: Floats
    kind: Integers


@dataclass(frozen=True, slots=True)
class Reference:
    """Median and spread of a shape in every event, `(n_events,)`.

    Attributes:
        count: int64, particles in it; without any, there is no pile-up and every weight is 1.
        median, spread: float64.
    """

    count: Integers
    median: Floats
    spread: Floats


def weights(particles: PuppiInput, regions: Sequence[Region], n_vertices: Integers, weight_min: float) -> Floats:
    """Weights of the particles, float64 `(n,)`; 0 for those that are lost.

    Tracks of the hard collision have 1, those of pile-up 0, and particles of no region 0.

    Args:
        particles: the particles.
        regions: the first one that a particle is in counts.
        n_vertices: int64 `(n_events,)`, vertices that are reconstructed.
        weight_min: smaller weights are 0.
    """
    event, kind = particles.points.event, particles.kind
    shaped = _regions(regions, particles.pt, particles.eta)
    weighted = _regions(regions, particles.pt, particles.region_eta)
    result = np.where((kind == HARD) & (weighted >= 0), 1.0, 0.0)
    for number, region in enumerate(regions):
        shapes = _shapes(particles, np.flatnonzero(shaped == number), region, len(n_vertices))
        rows = np.flatnonzero((weighted == number) & (kind == NEUTRAL))
        weight = _probability(region, shapes, rows, event[rows])
        threshold = region.neutral_min + n_vertices[event[rows]] * region.neutral_slope
        seen = (weight >= weight_min) & (weight * particles.pt[rows] >= threshold)
        result[rows] = np.where(seen, weight, 0.0)
    return result


def _regions(regions: Sequence[Region], pt: Floats, eta: Floats) -> Integers:
    """The first region that every particle is in, int64 `(n,)`, -1 for none."""
    found = np.full(len(pt), -1)
    absolute = np.abs(eta.astype(np.float32))  # as Delphes: edges on which particles lie exactly count
    for number in reversed(range(len(regions))):
        region = regions[number]
        inside = (absolute >= np.float32(region.eta_min)) & (absolute <= np.float32(region.eta_max))
        found[inside & (pt >= np.float32(region.pt_min))] = number
    return found


_LARGEST_CHI2: Final = 1e3
"""No larger chi² has a probability that differs from 1 in 64 bits."""

Shapes = list[tuple[Floats, Reference]]


def _shapes(particles: PuppiInput, rows: Integers, region: Region, n_events: int) -> Shapes:
    """For every metric the shapes of all particles, -1 outside of the region, and their reference."""
    shapes: Shapes = []
    hard_event, hard_value = np.empty(0, np.int64), np.empty(0)
    for metric in region.metrics:
        values = np.full(len(particles.pt), -1.0)
        values[rows] = metric.values(particles, rows)
        hard = rows[particles.pt[rows] >= metric.pt_min]
        certain = hard
        if metric.charged:
            certain, hard = (hard[particles.kind[hard] == kind] for kind in (PILEUP, HARD))
            hard_event = np.append(hard_event, particles.points.event[hard])
            hard_value = np.append(hard_value, values[hard])
        reference = reference_of(metric, particles.points.event[certain], values[certain], n_events)
        if metric.adjust:
            reference = adjusted(reference, hard_event, hard_value)
        shapes.append((values, reference))
    return shapes


def reference_of(metric: Metric, event: Integers, value: Floats, n_events: int) -> Reference:
    """Median and spread of values in every event.

    As in Delphes, the median is that of the values from the last 0 on (no neighbour), the upper one of two; zeros
    do not count in the spread.
    """
    order = np.lexsort((value, event))
    event, value = event[order], value[order]
    count = np.bincount(event, minlength=n_events)
    zeros = np.bincount(event[value == 0], minlength=n_events) > 0
    last_zero = np.where(zeros, np.bincount(event[value <= 0], minlength=n_events) - 1, 0)
    middle = np.cumsum(count) - count + last_zero + (count - last_zero) // 2
    median = np.zeros(n_events)
    median[count > 0] = value[middle[count > 0]]
    counted = (value != 0) & ((value <= median[event]) | (not metric.adjust))
    squares = np.bincount(event, weights=np.where(counted, value - median[event], 0) ** 2, minlength=n_events)
    variance = squares / np.maximum(np.bincount(event[counted], minlength=n_events), 1)
    variance[variance == 0] = _SMALLEST_VARIANCE
    return Reference(count, median, np.sqrt(variance) * metric.scale)


def adjusted(reference: Reference, event: Integers, value: Floats) -> Reference:
    """The reference for few collisions: lower by what the share of hard tracks `(n_hard,)` below the median says."""
    below = np.bincount(event[value <= reference.median[event]], minlength=len(reference.count))
    share = below / np.maximum(below + 0.5 * reference.count, 0.5)
    quantile = np.array([NormalDist().inv_cdf((1 + p) / 2) ** 2 if 0 < p < 1 else 0.0 for p in share])
    shift = np.sqrt(quantile * reference.spread)
    return Reference(reference.count, reference.median - shift, reference.spread - shift)


def _probability(region: Region, shapes: Shapes, rows: Integers, event: Integers) -> Floats:
    """Weight of particles before thresholds, float64 `(n_rows,)`."""
    referenced = np.ones(len(rows), bool)
    probability, chi2, degrees = np.ones(len(rows)), np.zeros(len(rows)), 0
    if region.metrics[0].metric == UNWEIGHTED:
        return probability
    for place, (metric, (values, reference)) in enumerate(zip(region.metrics, shapes, strict=True)):
        if metric.multiply and place:
            probability, chi2, degrees = probability * chi2_probability(chi2, degrees), np.zeros(len(rows)), 0
        value, median = values[rows], reference.median[event]
        if metric.metric in _LOGARITHMS:
            value = np.where(value == 0, median, value)
        with np.errstate(divide="ignore", invalid="ignore"):
            chi2 = chi2 + (value - median) * np.abs(value - median) / reference.spread[event] ** 2
        degrees += 1
        referenced &= reference.count[event] > 0
    return np.where(referenced, probability * chi2_probability(chi2, degrees), 1.0)


def chi2_probability(chi2: Floats, degrees: int) -> Floats:
    """Probability of a smaller chi², float64 `(n,)`; 0 where chi² is negative.

    Recurrence of the incomplete gamma function (DLMF 8.8.5) from erf and exp.
    """
    half = np.clip(chi2, 0, _LARGEST_CHI2) / 2
    order = 0.5 if degrees % 2 else 1.0
    found = np.array([math.erf(math.sqrt(x)) for x in half]) if degrees % 2 else -np.expm1(-half)
    while order < degrees / 2:
        found = found - half**order * np.exp(-half) / math.gamma(order + 1)
        order += 1
    return found
