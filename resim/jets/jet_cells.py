"""Cells, clusters and tracks of jets, for files of calorimeters of cells."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resim.common.angles import wrap
from resim.common.arrays import Arrays, Floats, Integers
from resim.common.ragged import indices_of_ranges, offsets_of, owners_of
from resim.detector.cells.readout import Readout


@dataclass(frozen=True, slots=True)
class RaggedColumns:
    """Columns with several entries a jet.

    Attributes:
        offsets: int64 `(n_jets + 1,)`.
        columns: name -> `(offsets[-1],)`.
    """

    offsets: Integers
    columns: Arrays


@dataclass(frozen=True, slots=True)
class JetAxes:
    """Jets of a batch of events: event, pseudorapidity and azimuth, `(n_jets,)` each."""

    event: Integers
    eta: Floats
    phi: Floats


@dataclass(frozen=True, slots=True)
class CellsOfJets:
    """What the detector of cells tells about jets: columns of `resim.pairfile.schema` by the name of their group."""

    cells: RaggedColumns
    clusters: RaggedColumns
    tracks: RaggedColumns


def cells_of_jets(readout: Readout, jets: JetAxes, radius: float) -> CellsOfJets:
    """Clusters and tracks within a radius of jets, and the cells of these clusters, each by falling energy or pT.

    Args:
        readout: of the events.
        jets: the jets.
        radius: distance in pseudorapidity and azimuth of barycentres, and of momenta of tracks.
    """
    clusters, tracks = readout.clusters, readout.tracks.objects
    near, cluster_offsets = _near(jets, (clusters.event, clusters.eta, clusters.phi), -clusters.energy, radius)
    own, track_offsets = _near(jets, (tracks.event, tracks.eta, tracks.phi), -tracks.pt, radius)
    return CellsOfJets(
        _cells(readout, near, cluster_offsets),
        RaggedColumns(cluster_offsets, _cluster_columns(readout, near)),
        RaggedColumns(track_offsets, _track_columns(readout, own)),
    )


def _near(
    jets: JetAxes, objects: tuple[Integers, Floats, Floats], rank: Floats, radius: float
) -> tuple[Integers, Integers]:
    """Objects within a radius of the jets of their event, by ascending rank, and the offsets of the jets in them."""
    event, eta, phi = objects
    n_events = int(max(event.max(initial=-1), jets.event.max(initial=-1))) + 1
    first = offsets_of(np.bincount(event, minlength=n_events))
    counts = np.diff(first)[jets.event]
    jet = np.repeat(np.arange(len(counts)), counts)
    item = indices_of_ranges(first[jets.event], counts)
    inside = np.hypot(eta[item] - jets.eta[jet], wrap(phi[item] - jets.phi[jet])) < radius
    jet, item = jet[inside], item[inside]
    order = np.lexsort((rank[item], jet))
    return item[order], offsets_of(np.bincount(jet, minlength=len(counts)))


def _cells(readout: Readout, near: Integers, cluster_offsets: Integers) -> RaggedColumns:
    """The cells of clusters, those of a cluster by falling energy."""
    hits = readout.hits
    order = np.lexsort((-hits.energy, hits.cluster))
    first = offsets_of(np.bincount(hits.cluster, minlength=len(readout.clusters)))
    counts = np.diff(first)[near]
    rows = order[indices_of_ranges(first[near], counts)]
    number = np.arange(len(near)) - cluster_offsets[owners_of(cluster_offsets)]
    columns: Arrays = {name: getattr(hits, name)[rows] for name in ("layer", "eta", "phi", "energy")}
    return RaggedColumns(offsets_of(counts)[cluster_offsets], columns | {"cluster": np.repeat(number, counts)})


def _cluster_columns(readout: Readout, near: Integers) -> Arrays:
    clusters = readout.clusters
    names = ("energy", "eta", "phi", "sigma_eta", "sigma_phi", "n_cells")
    return {name: getattr(clusters, name)[near] for name in names}


def _track_columns(readout: Readout, own: Integers) -> Arrays:
    tracks, objects = readout.tracks, readout.tracks.objects.select(own)
    momentum: npt.NDArray[np.float64] = objects.pt * np.sqrt(1 + objects.slope**2)
    return {
        "d0": objects.d0,
        "z0": objects.dz,
        "theta": np.arctan2(1.0, objects.slope),
        "phi": objects.phi,
        "q_over_p": objects.charge / momentum,
        "first_eta": tracks.eta[own, 0],
        "first_phi": tracks.phi[own, 0],
        "last_eta": tracks.eta[own, -1],
        "last_phi": tracks.phi[own, -1],
    }
