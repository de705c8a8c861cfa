"""Secondary vertices of jets: where b, c and other long-lived hadrons decayed."""

from dataclasses import dataclass

import numpy as np

from resim.card.jet_settings import VertexSettings
from resim.common.angles import wrap
from resim.common.arrays import Arrays, Booleans, Floats, Integers
from resim.common.ragged import offsets_of, owners_of
from resim.common.units import K_SHORT_MASS
from resim.detector.random import Stream
from resim.jets.vertex_fit import Tracks, find_vertices
from resim.particles import Candidates, Particles


@dataclass(frozen=True, slots=True)
class JetConstituents:
    """Constituents of jets and where they come from.

    Attributes:
        particles: group *i* of its offsets holds the constituents of jet *i*.
        jet_eta, jet_phi: float64 `(n_jets,)`.
        event: int64 `(n_jets,)`, event of each jet.
        item: int64 `(n_constituents,)`, number of the constituent in its event.
        origin: float64 `(n_constituents, 3)`, generated production vertex, mm; NaN where it is not known.
    """

    particles: Particles
    jet_eta: Floats
    jet_phi: Floats
    event: Integers
    item: Integers
    origin: Floats


@dataclass(frozen=True, slots=True)
class Vertices:
    """Secondary vertices of jets.

    Attributes:
        offsets: int64 `(n_jets + 1,)`; the vertices of jet *i* are `offsets[i]:offsets[i + 1]`, by descending
            significance of the flight distance.
        columns: name of a column of `resim.pairfile.schema.VERTICES` -> `(n_vertices,)`.
    """

    offsets: Integers
    columns: Arrays


@dataclass(frozen=True, slots=True)
class _Found:
    """Vertices before they are selected: jet `(n,)`, position `(n, 3)`, covariance `(n, 3, 3)`, chi2 `(n,)`."""

    jet: Integers
    position: Floats
    covariance: Floats
    chi2: Floats
    tracks: Integers
    vertex_of_track: Integers


def secondary_vertices(jets: JetConstituents, settings: VertexSettings, stream: Stream) -> Vertices:
    """Find the secondary vertices of jets.

    Args:
        jets: the jets.
        settings: source, cuts, resolution.
        stream: random numbers that smear truth vertices.
    """
    found = _fitted(jets, settings) if settings.source == "fit" else _generated(jets, settings, stream)
    columns = _columns(jets, found)
    kept = np.flatnonzero(_selected(jets, found, columns, settings))
    order = kept[np.lexsort((-columns["flight_3d_significance"][kept], found.jet[kept]))]
    n_jets = len(jets.jet_eta)
    lengths = np.bincount(found.jet[order], minlength=n_jets)
    return Vertices(
        offsets_of(lengths), {name: values[order] for name, values in columns.items() if name != "charge"}
    )


def _fitted(jets: JetConstituents, settings: VertexSettings) -> _Found:
    particles = jets.particles
    if not isinstance(particles, Candidates):
        raise TypeError("vertices are fitted to the tracks of a detector")
    measured = (particles.d0_err > 0) & (particles.dz_err > 0)
    one = np.ones_like(particles.d0)
    significance = np.hypot(
        np.divide(particles.d0, particles.d0_err, out=one.copy(), where=measured),
        np.divide(particles.dz, particles.dz_err, out=one.copy(), where=measured),
    )
    displaced = measured & (significance > settings.track_significance_min)
    chosen = np.flatnonzero(_tracks(particles, settings) & displaced)
    fitted = find_vertices(Tracks.of(particles, chosen, owners_of(particles.offsets)[chosen]))
    return _Found(fitted.jet, fitted.position, fitted.covariance, fitted.chi2, chosen, fitted.vertex_of_track)


def _generated(jets: JetConstituents, settings: VertexSettings, stream: Stream) -> _Found:
    """Decay points that two or more tracks of a jet come from, smeared along and across the line of flight."""
    displaced = np.linalg.norm(jets.origin, axis=1) > settings.across_mm  # NaN is not
    tracks = np.flatnonzero(_tracks(jets.particles, settings) & displaced)
    jet = owners_of(jets.particles.offsets)[tracks]
    keys = np.column_stack([jet, jets.origin[tracks]])
    points, first, point_of_track, n_tracks = np.unique(
        keys, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    several = n_tracks >= 2
    number = np.where(several, np.cumsum(several) - 1, -1)
    jet, true = points[several, 0].astype(np.int64), points[several, 1:]
    item = jets.item[tracks[first[several]]]
    normals = np.stack([stream.normal(jets.event[jet], item, draw) for draw in range(3)], axis=1)
    position, covariance = _smeared(true, normals, settings)
    return _Found(jet, position, covariance, np.zeros(len(jet)), tracks, number[point_of_track.ravel()])


def _smeared(true: Floats, normals: Floats, settings: VertexSettings) -> tuple[Floats, Floats]:
    """Measured points `(n, 3)` and their covariances `(n, 3, 3)`."""
    flight = true / np.linalg.norm(true, axis=1, keepdims=True)
    along = np.einsum("ni,nj->nij", flight, flight)
    across = np.eye(3) - along
    root = settings.along_mm * along + settings.across_mm * across  # symmetric: its square is the covariance
    return true + np.einsum("nij,nj->ni", root, normals), root @ root


def _tracks(particles: Particles, settings: VertexSettings) -> Booleans:
    wanted: Booleans = (particles.charge != 0) & (particles.pt > settings.track_pt_min)
    return wanted


def _columns(jets: JetConstituents, found: _Found) -> Arrays:
    """All columns of the schema `(n_vertices,)`, and the sum of the charges."""
    n = len(found.jet)
    used = found.vertex_of_track >= 0
    of_track, tracks = found.vertex_of_track[used], found.tracks[used]

    def total(values: Floats) -> Floats:
        return np.bincount(of_track, values[tracks], minlength=n).astype(np.float64)

    px, py, pz, energy, charge = (
        total(getattr(jets.particles, name)) for name in ("px", "py", "pz", "energy", "charge")
    )
    n_tracks = np.bincount(of_track, minlength=n)
    momentum = np.stack([px, py, pz], axis=1)
    columns: Arrays = {
        "pt": np.hypot(px, py),
        "eta": np.arcsinh(pz / np.hypot(px, py)),
        "phi": np.arctan2(py, px),
        "energy": energy,
        "mass": np.sqrt(np.maximum(energy**2 - (momentum**2).sum(axis=1), 0)),
        "n_tracks": n_tracks,
        "charge": charge,
        "chi2_ndf": found.chi2 / np.maximum(2 * n_tracks - 3, 1),
    }
    for name, dimensions in (("flight_2d", 2), ("flight_3d", 3)):
        point, covariance = found.position[:, :dimensions], found.covariance[:, :dimensions, :dimensions]
        columns[name] = np.linalg.norm(point, axis=1)
        direction = point / columns[name][:, None]
        error = np.sqrt(np.einsum("ni,nij,nj->n", direction, covariance, direction))
        columns[f"{name}_significance"] = columns[name] / error
    scalar = np.einsum("ni,ni->n", found.position, momentum)
    columns["cos_pointing"] = scalar / (columns["flight_3d"] * np.linalg.norm(momentum, axis=1))
    return columns


def _selected(jets: JetConstituents, found: _Found, columns: Arrays, settings: VertexSettings) -> Booleans:
    flight_eta = np.arcsinh(found.position[:, 2] / columns["flight_2d"])
    flight_phi = np.arctan2(found.position[:, 1], found.position[:, 0])
    distance = np.hypot(flight_eta - jets.jet_eta[found.jet], wrap(flight_phi - jets.jet_phi[found.jet]))
    k_short = (columns["n_tracks"] == 2) & (columns["charge"] == 0)
    k_short &= np.abs(columns["mass"] - K_SHORT_MASS) < settings.k_short_window
    kept: Booleans = ~k_short & (columns["mass"] < settings.mass_max) & (distance < settings.delta_r_max)
    kept &= columns["flight_2d"] < settings.flight_2d_max_mm
    return kept & (columns["flight_2d_significance"] > settings.significance_min)
