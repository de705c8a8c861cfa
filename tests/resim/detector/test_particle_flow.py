"""Candidates from tracks and towers."""

import numpy as np
import pytest

from resim.detector.particle_flow import candidates_of


def kind(event, pt, eta=0.0, phi=0.0, **columns):
    size = len(event)
    values = {"event": event, "pt": pt, "eta": eta, "phi": phi} | columns
    return {name: np.broadcast_to(np.array(value), size) for name, value in values.items()}


def candidates():
    tracks = kind(
        [1, 0], [3.0, 5.0], eta=1.0, phi=np.pi / 2, pdg_id=[211, -11], charge=[1, -1], mass=4.0, d0=0.5, dz=2.0
    )
    return candidates_of(tracks, kind([1], [2.0]), kind([0, 2], [7.0, 8.0]), 4)


def test_every_event_holds_tracks_then_photons_then_neutral_hadrons():
    found = candidates()
    assert found.offsets.tolist() == [0, 2, 4, 5, 5]
    assert found.pdg_id.tolist() == [-11, 0, 211, 22, 0]
    assert found.charge.tolist() == [-1, 0, 1, 0, 0]
    assert found.origin.tolist() == [-1] * 5


def test_momentum_and_vertex_of_a_track():
    found = candidates()
    track = [getattr(found, name)[0] for name in ("px", "py", "pz", "energy")]
    assert track == pytest.approx([0, 5, 5 * np.sinh(1), np.hypot(5 * np.cosh(1), 4)])
    # At d0 = x py - y px over pT = 0.5 mm with the momentum along y, the closest point is at x = 0.5 mm.
    assert [found.vx[0], found.vy[0], found.vz[0]] == pytest.approx([0.5, 0, 2])
    assert found.energy[3] == pytest.approx(2)  # a photon has no mass
