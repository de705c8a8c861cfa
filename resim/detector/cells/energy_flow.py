"""Particle flow of tracks and clusters: what a track is expected to leave is taken out of clusters near it.

After ATLAS, arXiv:1703.10485, section 5, with fewer steps: a track is matched to the nearest cluster, in units of its
width; clusters in a cone about the track lose the expected energy, the nearest first; what is left within its
fluctuations is removed.
"""

import math
from dataclasses import dataclass
from typing import Final, Self

import numba
import numpy as np

from resim.card.calorimeter_card import CalorimeterCard
from resim.common.arrays import Booleans, Floats, Integers
from resim.common.ragged import offsets_of
from resim.common.units import PHOTON
from resim.detector.cells.media import Stack
from resim.detector.cells.readout import Clusters, Tracks
from resim.detector.formula import Formula
from resim.detector.objects import Objects

_MATCHED: Final = 1.64
"""Largest distance of a track from its cluster in units of the cluster's width (arXiv:1703.10485, section 5.2)."""
_LEAST_WIDTH: Final = 0.05
"""Least width of a cluster for that (the same)."""
_CONE: Final = 0.2
"""Radius of the cone about a track in which clusters lose energy (arXiv:1703.10485, section 5.4)."""
_REMAINDER: Final = 1.5
"""Energy beyond the expected one, in units of its spread, that is removed with it (arXiv:1703.10485, section 5.5)."""
_PHOTON_FRACTION: Final = 0.9
"""Part of the energy in the first section from which on a cluster is a photon."""


@dataclass(frozen=True, slots=True)
class EnergyFlow:
    """Particle flow with the response of a card.

    Attributes:
        response, spread: mean energy in clusters over the momentum of a charged pion, and its standard deviation;
            formulas of `energy`, the momentum in GeV.
        ionization: energy that a muon leaves, GeV.
        first_section: layers of the first section.
    """

    response: Formula
    spread: Formula
    ionization: float
    first_section: int

    @classmethod
    def of(cls, card: CalorimeterCard, stack: Stack) -> Self:
        """Particle flow of a card.

        Raises:
            InputError: a formula is wrong.
        """
        response, spread = (Formula.parse(text, ("energy",)) for text in (card.flow.response, card.flow.spread))
        lengths = np.diff(stack.edges) * (stack.layer >= 0)
        ionization = float(lengths @ stack.column("ionization"))
        return cls(response, spread, ionization, len(card.sections[0].layers))

    def neutral(self, tracks: Tracks, clusters: Clusters, n_events: int) -> Objects:
        """What the clusters hold beside the energy of tracks, as photons (22) and neutral hadrons (0).

        Args:
            tracks: the tracks.
            clusters: the clusters.
            n_events: number of events in the batch.
        """
        left = self._left(tracks, clusters, n_events)
        kept = np.flatnonzero(left > 0)
        em = clusters.layer_energy[kept, : self.first_section].sum(axis=1) / clusters.energy[kept]
        phi, slope = clusters.phi[kept], np.sinh(clusters.eta[kept])
        return Objects.of(
            event=clusters.event[kept],
            item=kept,
            pdg_id=np.where(em > _PHOTON_FRACTION, PHOTON, 0).astype(np.int32),
            energy=left[kept],
            pt=left[kept] / np.cosh(clusters.eta[kept]),
            ux=np.cos(phi),
            uy=np.sin(phi),
            slope=slope,
        )

    def _left(self, tracks: Tracks, clusters: Clusters, n_events: int) -> Floats:
        """Energy of every cluster after subtraction, float64 `(n_clusters,)`, GeV."""
        objects = tracks.objects
        momentum = objects.pt * np.sqrt(1 + objects.slope**2)
        expected, spread = self._expected(np.abs(objects.pdg_id), momentum)
        order = np.lexsort((-objects.pt, objects.event))
        layer = np.argmax(clusters.layer_energy, axis=1) if len(clusters) else np.empty(0, np.int64)
        left = clusters.energy.copy()
        _subtract(
            offsets_of(np.bincount(objects.event, minlength=n_events)),
            order,
            (tracks.eta, tracks.phi, expected, spread),
            clusters.offsets(n_events),
            (clusters.eta, clusters.phi, _width(clusters.sigma_eta), _width(clusters.sigma_phi)),
            layer,
            left,
        )
        return left

    def _expected(self, pdg_id: Integers, momentum: Floats) -> tuple[Floats, Floats]:
        """Mean energy in clusters and its spread, float64 `(n_tracks,)`, GeV."""
        columns = {"energy": momentum}
        mean = momentum * self.response(columns, len(momentum))
        spread = momentum * self.spread(columns, len(momentum))
        mean = np.where(pdg_id == 11, momentum, np.where(pdg_id == 13, np.minimum(self.ionization, momentum), mean))
        return mean, spread


def _width(sigma: Floats) -> Floats:
    return np.maximum(sigma, _LEAST_WIDTH)


@numba.njit(cache=True)
def _subtract(
    track_offsets: Integers,
    order: Integers,
    tracks: tuple[Floats, Floats, Floats, Floats],
    cluster_offsets: Integers,
    clusters: tuple[Floats, Floats, Floats, Floats],
    layer: Integers,
    left: Floats,
) -> None:
    """Take the expected energy of tracks, hardest first, out of `left`, the energies of the clusters."""
    for event in range(len(track_offsets) - 1):
        first, last = cluster_offsets[event], cluster_offsets[event + 1]
        distance, near = np.empty(last - first), np.zeros(last - first, np.bool_)
        for track in order[track_offsets[event] : track_offsets[event + 1]]:
            if _match(track, tracks, clusters, layer, first, left, distance, near):
                _take(tracks[2][track], tracks[3][track], first, left, distance, near)


@numba.njit(cache=True)
def _match(
    track: int,
    tracks: tuple[Floats, Floats, Floats, Floats],
    clusters: tuple[Floats, Floats, Floats, Floats],
    layer: Integers,
    first: int,
    left: Floats,
    distance: Floats,
    near: Booleans,
) -> bool:
    """Distances of the clusters of an event that lie in the cone of a track, and whether one of them matches it."""
    matched = False
    for i in range(len(distance)):
        cluster = first + i
        d_eta = clusters[0][cluster] - tracks[0][track, layer[cluster]]
        near[i] = False
        if left[cluster] <= 0 or abs(d_eta) > _CONE:
            continue
        d_phi = (clusters[1][cluster] - tracks[1][track, layer[cluster]] + math.pi) % (2 * math.pi) - math.pi
        distance[i] = math.hypot(d_eta, d_phi)
        near[i] = distance[i] < _CONE
        if math.hypot(d_eta / clusters[2][cluster], d_phi / clusters[3][cluster]) < _MATCHED:
            matched = True
    return matched


@numba.njit(cache=True)
def _take(budget: float, spread: float, first: int, left: Floats, distance: Floats, near: Booleans) -> None:
    """Take the budget of a track out of the clusters in its cone, the nearest first."""
    inside = np.flatnonzero(near)
    total = left[first + inside].sum()
    if total < budget + _REMAINDER * spread:
        left[first + inside] = 0.0
        return
    for i in inside[np.argsort(distance[inside])]:
        taken = min(budget, left[first + i])
        left[first + i] -= taken
        budget -= taken
