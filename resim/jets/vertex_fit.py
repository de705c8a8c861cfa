"""Fit of secondary vertices from measured track parameters, for many jets at once.

Near the beam a track is a straight line. With the unit vector u of its transverse momentum and c = pz/pT, a vertex v
lies on it if

    v_x u_y - v_y u_x = d0    and    v_z - (v_x u_x + v_y u_y) c = dz,

two equations that are linear in v: the vertex of least squares is the solution of three linear equations. Errors of
the direction and the curvature are neglected: a track of 1 GeV in 3.8 T leaves its line by 14 um after 5 mm.

Outliers are weighted down (adaptive vertex fit: Fruehwirth, Waltenberger and Vanlaer, J. Phys. G 34 (2007) N343):
a track at distance chi, in units of its errors, has weight 1 / (1 + exp((chi^2 - chi_c^2) / 2T)), T falling to 1.
"""

from dataclasses import dataclass, fields
from typing import Final, Self

import numpy as np

from resim.common.arrays import Booleans, Floats, Integers
from resim.common.ragged import indices_of_ranges
from resim.particles import Candidates

_CUTOFF: Final = 3.0
"""chi_c of the paper above, in standard deviations."""
_TEMPERATURES: Final = (16.0, 4.0, 1.0, 1.0, 1.0)
"""From the pair that is nearest to the vertex itself; the paper begins with 256 where nothing is known before."""
_LOOSE: Final = 1e-6
"""1/mm²: tracks that are parallel leave the vertex free along them; this holds it within 1 m."""
_SAME: Final = 0.5
"""Least weight of a track that belongs to the vertex."""
_ROUNDS: Final = 4
"""Most vertices of a jet: two b and two c hadrons."""


@dataclass(frozen=True, slots=True)
class Tracks:
    """Tracks of several jets, those of one jet one after the other.

    Attributes:
        jet: int64 `(n_tracks,)`, ascending.
        across: float64 `(n_tracks, 3)`, the row (u_y, -u_x, 0) of the first equation.
        along: float64 `(n_tracks, 3)`, the row (-c u_x, -c u_y, 1) of the second one.
        d0, dz, d0_err, dz_err: float64 `(n_tracks,)`, mm.
    """

    jet: Integers
    across: Floats
    along: Floats
    d0: Floats
    dz: Floats
    d0_err: Floats
    dz_err: Floats

    @classmethod
    def of(cls, particles: Candidates, chosen: Integers, jet: Integers) -> Self:
        """The tracks of chosen candidates, int64 `(n_tracks,)`, and the jets that they belong to."""
        pt = particles.pt[chosen]
        ux, uy, slope = (p[chosen] / pt for p in (particles.px, particles.py, particles.pz))
        across = np.stack([uy, -ux, np.zeros_like(pt)], axis=1)
        along = np.stack([-slope * ux, -slope * uy, np.ones_like(pt)], axis=1)
        measured = (getattr(particles, name)[chosen] for name in ("d0", "dz", "d0_err", "dz_err"))
        return cls(jet, across, along, *measured)

    def __len__(self) -> int:
        """Number of tracks."""
        return len(self.jet)

    def take(self, chosen: Integers) -> Self:
        """The tracks chosen by indices, int64 `(n_chosen,)`, or by a mask, bool `(n_tracks,)`."""
        return type(self)(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})

    def equations(self) -> tuple[Floats, Floats]:
        """Each track's share of the normal equations, `(n_tracks, 3, 3)` in 1/mm² and `(n_tracks, 3)` in 1/mm."""
        rows = np.stack([self.across / self.d0_err[:, None], self.along / self.dz_err[:, None]], axis=1)
        values = np.stack([self.d0 / self.d0_err, self.dz / self.dz_err], axis=1)
        return np.einsum("nki,nkj->nij", rows, rows), np.einsum("nki,nk->ni", rows, values)

    def chi2(self, points: Floats) -> Floats:
        """Squared distance of each track from a point of its own `(n_tracks, 3)`, in units of the errors."""
        across = (np.einsum("ni,ni->n", self.across, points) - self.d0) / self.d0_err
        along = (np.einsum("ni,ni->n", self.along, points) - self.dz) / self.dz_err
        return np.asarray(across**2 + along**2)


@dataclass(frozen=True, slots=True)
class FittedVertices:
    """Vertices that were found.

    Attributes:
        jet: int64 `(n_vertices,)`, the jet of each.
        position: float64 `(n_vertices, 3)`, mm.
        covariance: float64 `(n_vertices, 3, 3)`, mm².
        chi2: float64 `(n_vertices,)`.
        vertex_of_track: int64 `(n_tracks,)`; -1 for tracks without one.
    """

    jet: Integers
    position: Floats
    covariance: Floats
    chi2: Floats
    vertex_of_track: Integers


def fit_points(tracks: Tracks, weights: Floats, point: Integers, n_points: int) -> tuple[Floats, Floats]:
    """Points of weighted least squares.

    Args:
        tracks: the tracks.
        weights: float64 `(n_tracks,)`.
        point: int64 `(n_tracks,)`, the point that each track is for.
        n_points: number of points.

    Returns:
        Points, float64 `(n_points, 3)` in mm, and their covariances, float64 `(n_points, 3, 3)` in mm².
    """
    matrices, vectors = tracks.equations()
    sums = np.tile(_LOOSE * np.eye(3), (n_points, 1, 1))
    np.add.at(sums, point, weights[:, None, None] * matrices)
    sides = np.zeros((n_points, 3))
    np.add.at(sides, point, weights[:, None] * vectors)
    covariance = np.linalg.inv(sums).astype(np.float64)
    return np.einsum("nij,nj->ni", covariance, sides), covariance


def find_vertices(tracks: Tracks) -> FittedVertices:
    """Fit a vertex around the nearest pair of tracks of each jet, take its tracks out, begin anew with the rest."""
    vertex_of_track = np.full(len(tracks), -1)
    found = [(np.empty(0, np.int64), np.empty((0, 3)), np.empty((0, 3, 3)), np.empty(0))]
    free, n_found = np.arange(len(tracks)), 0
    for _ in range(_ROUNDS):
        rest = tracks.take(free)
        jets, points = _nearest_pairs(rest)
        member, vertex = _members(rest, jets, points)
        good = np.bincount(vertex[member], minlength=len(jets)) >= 2
        member &= np.append(good, False)[vertex]
        numbers = np.append(np.cumsum(good) - 1, -1)[vertex[member]]
        vertex_of_track[free[member]] = n_found + numbers
        found.append((jets[good], *_refit(rest.take(np.flatnonzero(member)), numbers, int(good.sum()))))
        n_found += int(good.sum())
        free = free[np.isin(rest.jet, jets[good]) & ~member]
    jet, position, covariance, chi2 = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return FittedVertices(jet, position, covariance, chi2, vertex_of_track)


def _nearest_pairs(tracks: Tracks) -> tuple[Integers, Floats]:
    """Jets with two tracks that meet, int64 `(n,)`, and the points nearest to the nearest two, `(n, 3)` in mm."""
    number = np.arange(len(tracks))
    partners = np.searchsorted(tracks.jet, tracks.jet, side="right") - number - 1
    pairs = np.stack([np.repeat(number, partners), indices_of_ranges(number + 1, partners)], axis=1)
    both, pair = tracks.take(pairs.ravel()), np.repeat(np.arange(len(pairs)), 2)
    points, _ = fit_points(both, np.ones(len(both)), pair, len(pairs))
    chi2 = both.chi2(points[pair]).reshape(-1, 2).sum(axis=1)
    order = np.lexsort((chi2, tracks.jet[pairs[:, 0]]))
    jets, first = np.unique(tracks.jet[pairs[order, 0]], return_index=True)
    nearest = order[first]
    meet = chi2[nearest] < _CUTOFF**2
    return jets[meet], points[nearest[meet]]


def _members(tracks: Tracks, jets: Integers, points: Floats) -> tuple[Booleans, Integers]:
    """Which tracks belong to the vertex of their jet, `(n_tracks,)`, and which vertex that is; -1 for none."""
    vertex = np.searchsorted(jets, tracks.jet)
    has_vertex = np.isin(tracks.jet, jets)
    near = tracks.take(np.flatnonzero(has_vertex))
    vertex_of_near, weights = vertex[has_vertex], np.zeros(len(near))
    for temperature in _TEMPERATURES:
        excess = near.chi2(points[vertex_of_near]) - _CUTOFF**2
        weights = 1 / (1 + np.exp(np.minimum(excess / (2 * temperature), 700.0)))
        points, _ = fit_points(near, weights, vertex_of_near, len(jets))
    member = np.zeros(len(tracks), np.bool_)
    member[has_vertex] = weights > _SAME
    return member, np.where(has_vertex, vertex, -1)


def _refit(tracks: Tracks, vertex: Integers, n_vertices: int) -> tuple[Floats, Floats, Floats]:
    """Position, covariance and chi-squared of the vertices of these tracks, all with weight 1."""
    points, covariance = fit_points(tracks, np.ones(len(tracks)), vertex, n_vertices)
    chi2: Floats = np.bincount(vertex, tracks.chi2(points[vertex]), minlength=n_vertices).astype(np.float64)
    return points, covariance, chi2
