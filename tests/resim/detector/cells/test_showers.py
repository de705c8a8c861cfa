"""Deposits of particles: what becomes of the energy, and where showers start."""

import numpy as np
import pytest
from scipy import stats

from resim.detector.cells.showers import ELECTROMAGNETIC, HADRONIC, IONIZATION, Deposits
from resim.detector.random import Stream
from tests.helpers.particles import gun

N = 4000


def shot(cocoa, pdg_id: int, energy: float, n: int = N) -> Deposits:
    particles = gun(pdg_id, [energy] * n, [0.0] * n)
    _, arrivals = cocoa._arrivals(particles)
    return cocoa.showers.deposits(arrivals, Stream.of(np.arange(n, dtype=np.uint64), "showers"))


def test_photons_convert_and_electrons_do_not_wait(cocoa):
    photons, electrons = shot(cocoa, 22, 20.0), shot(cocoa, 11, 20.0)
    assert stats.kstest(photons.start, stats.expon(scale=9 / 7).cdf).pvalue > 1e-3
    assert (electrons.start == 0).all()
    assert (electrons.kind == ELECTROMAGNETIC).all()
    assert electrons.energy == pytest.approx(20, rel=1e-3)


def test_hadrons_share_their_energy_among_their_deposits(cocoa):
    """Neutral ones all of it, charged ones but for the ionization of dead material."""
    neutral = shot(cocoa, 130, 20.0)
    inside = np.unique(neutral.particle)
    assert np.bincount(neutral.particle, neutral.energy, N)[inside] == pytest.approx(20, rel=1e-3)
    charged = shot(cocoa, 211, 20.0)
    total = np.bincount(charged.particle, charged.energy, N)
    dead = 80 * cocoa.stack.media[3].ionization
    assert (total <= 20.01).all()
    assert total[np.bincount(charged.particle, charged.kind == HADRONIC, N) > 0].min() >= 20 - 1.05 * dead


def test_showers_start_after_an_interaction_length(cocoa):
    start = shot(cocoa, 130, 20.0)
    start = start.start[start.kind == HADRONIC]
    depth = cocoa.stack.lambda_edges[-1]
    assert (start < depth).all()
    assert len(start) / N == pytest.approx(1 - np.exp(-depth), abs=0.01)
    assert start.mean() == pytest.approx(1, abs=0.05)


def test_muons_ionize_all_layers_and_stop_when_their_energy_is_gone(cocoa):
    muons = shot(cocoa, 13, 50.0, 10)
    lengths = np.diff(cocoa.stack.edges)[cocoa.stack.layer >= 0]
    losses = [
        medium.ionization for medium, layer in zip(cocoa.stack.media, cocoa.stack.layer, strict=True) if layer >= 0
    ]
    assert (muons.kind == IONIZATION).all()
    assert muons.energy[:6] == pytest.approx(lengths * losses, rel=0.02)  # they enter at a small angle
    soft = shot(cocoa, 13, 1.0, 10)
    assert np.bincount(soft.particle, soft.energy) == pytest.approx(soft.energy[soft.particle == 0].sum(), rel=0.05)
    assert soft.energy[soft.particle == 0].sum() <= 1.01


def test_the_gain_has_the_constant_term(cocoa):
    assert shot(cocoa, 11, 5.0).gain.std() == pytest.approx(0.007, rel=0.05)
