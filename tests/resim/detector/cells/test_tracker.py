"""Tracks: efficiency, resolutions, crossings of the layers, and formulas that are refused."""

import numpy as np
import pytest

from resim.common.errors import InputError
from resim.detector.cells.tracker import TrackFinder, crossings
from resim.detector.random import Stream
from tests.helpers.particles import gun

N = 4000


def found(detector, pt: float, **changes: str):
    finder = TrackFinder.of(detector.card.tracker.model_copy(update=changes))
    objects, _ = detector._arrivals(gun(211, [pt] * N, [0.5] * N))
    return finder.find(objects, Stream.of(np.arange(N, dtype=np.uint64), "tracks"))


def test_tracks_have_the_resolutions_of_the_card(cocoa):
    tracks, kept = found(cocoa, 20.0)
    assert len(kept) == N
    assert (tracks.pt / 20 - 1).std() == pytest.approx(np.hypot(0.01, 0.002), rel=0.05)
    assert tracks.d0.std() == pytest.approx(tracks.d0_err[0], rel=0.05)
    assert tracks.dz.std() == pytest.approx(tracks.dz_err[0], rel=0.05)


def test_some_tracks_are_lost(cocoa):
    _, kept = found(cocoa, 5.0, efficiency="0.7")
    assert len(kept) / N == pytest.approx(0.7, abs=0.03)


@pytest.mark.parametrize("formula", ["-1.0", "1 / (pt - pt)"])
def test_formulas_must_have_a_value(cocoa, formula):
    with pytest.raises(InputError, match=r"tracker: .* is (-1|inf) for pt = 5, eta = 0.5; want a finite number"):
        found(cocoa, 5.0, d0_resolution=formula)


def test_unknown_variables_are_refused(cocoa):
    with pytest.raises(InputError, match="phi"):
        TrackFinder.of(cocoa.card.tracker.model_copy(update={"efficiency": "phi"}))


def test_neutral_particles_cross_the_layers_where_they_are_aimed(cocoa):
    _, arrivals = cocoa._arrivals(gun(22, [5.0, 5.0], [0.7, -2.4], [1.0, -2.0]))
    eta, phi = crossings(arrivals, cocoa.stack)
    assert eta.shape == (2, 6)
    assert eta == pytest.approx(np.array([[0.7] * 6, [-2.4] * 6]))
    assert phi == pytest.approx(np.array([[1.0] * 6, [-2.0] * 6]))
