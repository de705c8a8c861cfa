"""Grooming and N-subjettiness of jets that can be computed by hand; against FastJet in `test_substructure`."""

import math

import numpy as np
import pytest

from resim.jets.declustering import softdrop_mass, subjettiness


def jet(*particles):
    """Massless particles (pT, y, phi) as px, py, pz, energy `(4, n)`."""
    return np.array(
        [[pt * math.cos(phi), pt * math.sin(phi), pt * math.sinh(y), pt * math.cosh(y)] for pt, y, phi in particles]
    ).T.copy()


def mass(*particles):
    px, py, pz, energy = jet(*particles).sum(1)
    return math.sqrt(energy**2 - px**2 - py**2 - pz**2)


A, B, SOFT = (100.0, 0.0, 0.0), (50.0, 0.3, 0.0), (1.0, 0.0, 0.7)


def test_soft_drop_takes_soft_wide_radiation_away():
    assert softdrop_mass(jet(A, B, SOFT), 0.1, 0.0, 0.8) == pytest.approx(mass(A, B))
    assert softdrop_mass(jet(A, B, SOFT), 1e-4, 0.0, 0.8) == pytest.approx(mass(A, B, SOFT))


def test_a_jet_without_hard_splitting_is_one_particle():
    assert softdrop_mass(jet(A, SOFT), 0.1, 0.0, 0.8) == pytest.approx(0, abs=1e-3)


def test_beta_lets_narrow_soft_radiation_stay():
    narrow = (5.0, 0.05, 0.0)
    assert softdrop_mass(jet(A, narrow), 0.1, 0.0, 0.8) == pytest.approx(0, abs=1e-3)
    assert softdrop_mass(jet(A, narrow), 0.1, 2.0, 0.8) == pytest.approx(mass(A, narrow))


def test_subjettiness_by_hand():
    tau = subjettiness(jet(A, B, SOFT), 4, 1.0, 0.8)
    # tau_1: the winner-take-all axis is A; tau_2: axes A and B.
    assert tau[0] == pytest.approx((50 * 0.3 + 1 * 0.7) / (151 * 0.8))
    assert tau[1] == pytest.approx(1 * 0.7 / (151 * 0.8))
    assert tau[2:].tolist() == [0, 0]  # not more axes than constituents need


def test_azimuths_are_periodic():
    turned = [(pt, y, phi + 3.0) for pt, y, phi in (A, B, SOFT)]
    assert subjettiness(jet(*turned), 2, 1.0, 0.8) == pytest.approx(subjettiness(jet(A, B, SOFT), 2, 1.0, 0.8))
