"""Vertices are found where tracks were made to meet, and their errors are right."""

import numpy as np
import pytest

from resim.jets.vertex_fit import Tracks, find_vertices, fit_points
from tests.helpers.particles import tracks_from

D0_ERR, DZ_ERR = 0.02, 0.05
"""mm"""


def fan(points, n_tracks, rng, smeared=True):
    """Jets along x with one vertex each: `n_tracks` tracks from each point."""
    points = np.repeat(np.asarray(points, float), n_tracks, axis=0)
    direction = rng.normal(0, 0.15, (len(points), 2))
    candidates = tracks_from(points, 10 + rng.exponential(10, len(points)), direction[:, 0], direction[:, 1])
    errors = rng.normal(size=(2, len(points))) * smeared
    measured = candidates.d0 + D0_ERR * errors[0], candidates.dz + DZ_ERR * errors[1]
    jet = np.repeat(np.arange(len(points) // n_tracks), n_tracks)
    tracks = Tracks.of(candidates, np.arange(len(points)), jet)
    full = np.full(len(points), 1.0)
    return Tracks(jet, tracks.across, tracks.along, *measured, D0_ERR * full, DZ_ERR * full)


def test_exact_tracks_meet_in_their_vertex(rng):
    points = np.array([[4, 0.3, 0.2], [7, -0.5, 1], [-3, 2, 5]], float)
    found = find_vertices(fan(points, 3, rng, smeared=False))
    assert found.jet.tolist() == [0, 1, 2]
    assert found.position == pytest.approx(points, abs=1e-3)
    assert found.vertex_of_track.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert found.chi2 == pytest.approx(0, abs=1e-3)


def test_least_squares_are_those_of_a_loop(rng):
    tracks = fan(rng.normal(0, 5, (6, 3)), 4, rng)
    weights = rng.uniform(0.1, 1, len(tracks))
    points, covariance = fit_points(tracks, weights, tracks.jet, 6)
    for jet in range(6):
        rows, values = [], []
        for i in np.flatnonzero(tracks.jet == jet):
            for row, value, error in (
                (tracks.across[i], tracks.d0[i], tracks.d0_err[i]),
                (tracks.along[i], tracks.dz[i], tracks.dz_err[i]),
            ):
                rows.append(row / error * np.sqrt(weights[i]))
                values.append(value / error * np.sqrt(weights[i]))
        solution = np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0]
        assert points[jet] == pytest.approx(solution, rel=1e-4)
        assert covariance[jet] == pytest.approx(np.linalg.inv(np.array(rows).T @ np.array(rows)), rel=1e-3)


def test_errors_and_chi_squared_are_those_of_the_smearing(rng):
    n = 600
    points = np.tile([5.0, 0.2, 0.5], (n, 1))
    tracks = fan(points, 4, rng)
    fitted, covariance = fit_points(tracks, np.ones(len(tracks)), tracks.jet, n)
    pulls = (fitted - points) / np.sqrt(np.einsum("nii->ni", covariance))
    assert np.abs(pulls.mean(axis=0)).max() < 4 / np.sqrt(n)
    assert pulls.std(axis=0) == pytest.approx(1, abs=4 / np.sqrt(2 * n))
    chi2 = np.bincount(tracks.jet, tracks.chi2(fitted[tracks.jet]))
    degrees = 2 * 4 - 3
    assert chi2.mean() == pytest.approx(degrees, abs=4 * np.sqrt(2 * degrees / n))


def joined(*sets):
    """Jets side by side, one from each set."""
    jets = np.concatenate([tracks.jet for tracks in sets])
    order = np.argsort(jets, kind="stable")
    columns = {name: np.concatenate([getattr(tracks, name) for tracks in sets])[order] for name in Tracks.__slots__}
    return Tracks(**columns), np.repeat(np.arange(len(sets)), [len(tracks) for tracks in sets])[order]


def test_tracks_of_elsewhere_stay_out(rng):
    n = 200
    vertex = fan(np.tile([8.0, 0, 0], (n, 1)), 4, rng)
    strays = fan(np.column_stack([np.zeros(n), rng.normal(0, 1.5, n), rng.normal(0, 1.5, n)]), 1, rng)
    tracks, is_stray = joined(vertex, strays)
    found = find_vertices(tracks)
    first = np.unique(found.jet, return_index=True)[1]
    assert (found.vertex_of_track[is_stray == 0] >= 0).mean() > 0.97
    assert (found.vertex_of_track[is_stray == 1] >= 0).mean() < 0.15
    near = np.linalg.norm((found.position[first] - [8, 0, 0])[:, 1:], axis=1) < 0.2
    assert near.mean() > 0.95


def test_two_vertices_of_a_jet(rng):
    n = 100
    tracks, which = joined(
        fan(np.tile([6.0, 0.6, 0], (n, 1)), 3, rng), fan(np.tile([3.0, -0.6, 0.5], (n, 1)), 3, rng)
    )
    found = find_vertices(tracks)
    assert (np.bincount(found.jet, minlength=n) == 2).mean() > 0.9
    purity = [len(set(which[found.vertex_of_track == i])) == 1 for i in range(len(found.jet))]
    assert np.mean(purity) > 0.9


def test_a_jet_is_fitted_alike_alone_and_among_others(rng):
    tracks = fan(rng.normal(0, 5, (5, 3)), 3, rng)
    together = find_vertices(tracks)
    alone = find_vertices(tracks.take(np.flatnonzero(tracks.jet == 3)))
    assert alone.position == pytest.approx(together.position[together.jet == 3], abs=1e-9)


@pytest.mark.parametrize("n_tracks", [0, 1])
def test_too_few_tracks(n_tracks, rng):
    tracks = fan(np.ones((3, 3)), 1, rng).take(np.arange(n_tracks))
    assert len(find_vertices(tracks).jet) == 0
