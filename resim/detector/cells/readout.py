"""What a calorimeter of cells and its tracker tell about a batch of events: cells in clusters, clusters, tracks."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from resim.common.angles import wrap
from resim.common.arrays import Floats, Integers
from resim.common.ragged import offsets_of
from resim.detector.cells.geometry import Cells
from resim.detector.objects import Objects
from resim.particles import Candidates


@dataclass(frozen=True, slots=True)
class CellHits:
    """The cells in clusters, event by event, `(n_cells,)` each.

    Attributes:
        event: int64, event in the batch, ascending.
        layer: int64, from the inside out.
        eta, phi: float64, of the centre; phi in (-pi, pi), rad.
        energy: float64, GeV.
        cluster: int64, index into the clusters of the batch.
    """

    event: Integers
    layer: Integers
    eta: Floats
    phi: Floats
    energy: Floats
    cluster: Integers

    def __len__(self) -> int:
        """Number of cells."""
        return len(self.event)


@dataclass(frozen=True, slots=True)
class Clusters:
    """Topological clusters, event by event, `(n_clusters,)` each.

    Attributes:
        event: int64, event in the batch, ascending.
        energy: float64, at the electromagnetic scale, GeV.
        eta, phi: float64, barycentre of the cells, weighted by energy; phi in [-pi, pi), rad.
        sigma_eta, sigma_phi: float64, its spread.
        layer_energy: float64 `(n_clusters, n_layers)`, GeV.
        n_cells: int64.
    """

    event: Integers
    energy: Floats
    eta: Floats
    phi: Floats
    sigma_eta: Floats
    sigma_phi: Floats
    layer_energy: Floats
    n_cells: Integers

    def __len__(self) -> int:
        """Number of clusters."""
        return len(self.event)

    def offsets(self, n_events: int) -> Integers:
        """Offsets of the events, int64 `(n_events + 1,)`."""
        return offsets_of(np.bincount(self.event, minlength=n_events))


@dataclass(frozen=True, slots=True)
class Tracks:
    """Tracks as measured, and where they cross the layers.

    Attributes:
        objects: the tracks, event by event.
        eta, phi: float64 `(n_tracks, n_layers)`, in the middle of each layer; phi in [-pi, pi], rad.
    """

    objects: Objects
    eta: Floats
    phi: Floats

    def __len__(self) -> int:
        """Number of tracks."""
        return len(self.objects)


@dataclass(frozen=True, slots=True)
class Readout:
    """What the detector tells about a batch of events.

    Attributes:
        candidates: particle-flow candidates.
        hits: cells in clusters.
        clusters: the clusters, before particle flow takes the energy of tracks out of them.
        tracks: the tracks.
    """

    candidates: Candidates
    hits: CellHits
    clusters: Clusters
    tracks: Tracks


def hits_of(
    cells: Cells, event: Integers, cell: Integers, energy: npt.NDArray[np.float32], cluster: Integers
) -> CellHits:
    """Cells in clusters with their places.

    Args:
        cells: the layout.
        event: int64 `(n,)`.
        cell: int64 `(n,)`, number in the layout.
        energy: float32 `(n,)`, GeV.
        cluster: int64 `(n,)`.
    """
    return CellHits(event, cells.layer(cell), cells.eta(cell), cells.phi(cell), energy.astype(np.float64), cluster)


def clusters_of(hits: CellHits, n_layers: int) -> Clusters:
    """Clusters of the cells of a batch.

    Args:
        hits: the cells; their clusters are numbered from 0 without a gap, by ascending event.
        n_layers: of the calorimeter.
    """
    n = int(hits.cluster.max()) + 1 if len(hits) else 0
    event, reference = np.zeros(n, np.int64), np.zeros(n)
    event[hits.cluster] = hits.event
    reference[hits.cluster] = hits.phi  # any cell of the cluster: phi is measured from there
    energy = np.bincount(hits.cluster, hits.energy, n).astype(np.float64)  # integers without cells

    def mean(values: npt.NDArray[np.floating[Any]]) -> Floats:
        return np.asarray(np.bincount(hits.cluster, hits.energy * values, n) / energy, np.float64)

    turned = wrap(hits.phi - reference[hits.cluster])
    eta, phi = mean(hits.eta), mean(turned)
    by_layer = np.bincount(hits.cluster * n_layers + hits.layer, hits.energy, n * n_layers).astype(np.float64)
    return Clusters(
        event=event,
        energy=energy,
        eta=eta,
        phi=np.asarray(wrap(phi + reference), np.float64),
        sigma_eta=np.sqrt(mean((hits.eta - eta[hits.cluster]) ** 2)),
        sigma_phi=np.sqrt(mean((turned - phi[hits.cluster]) ** 2)),
        layer_energy=by_layer.reshape(n, n_layers),
        n_cells=np.bincount(hits.cluster, minlength=n),
    )
