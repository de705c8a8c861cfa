import numpy as np
import pytest

from resim.card.jet_settings import JetSettings
from resim.common.ragged import offsets_of
from resim.jets.clustering import cluster, load_fastjet
from resim.particles import Particles
from tests.helpers.references import naive_antikt


def toy_particles(rng: np.random.Generator, lengths: list[int]) -> Particles:
    n = sum(lengths)
    pt, eta, phi = rng.exponential(20, n) + 0.5, rng.normal(0, 1, n), rng.uniform(-np.pi, np.pi, n)
    px, py, pz = pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)
    mass = np.full(n, 0.14)
    energy = np.sqrt(px**2 + py**2 + pz**2 + mass**2)
    zeros = np.zeros(n)
    pdg_id = np.full(n, 211, dtype=np.int32)
    return Particles(offsets_of(lengths), px, py, pz, energy, mass, pdg_id, zeros, zeros, zeros, zeros)


@pytest.mark.parametrize("radius", [0.4, 0.8])
def test_jets_and_constituents_equal_a_naive_antikt(radius):
    particles = toy_particles(np.random.default_rng(3), [30, 0, 25])
    jets = cluster(particles, JetSettings(radius=radius, pt_min=5, abs_eta_max=100))
    momenta = np.stack([particles.px, particles.py, particles.pz, particles.energy], axis=1)
    for event in range(3):
        first, last = particles.offsets[event : event + 2]
        expected = {
            frozenset(i + first for i in members): p
            for p, members in naive_antikt(momenta[first:last], radius)
            if np.hypot(p[0], p[1]) > 5
        }
        found = {}
        for j in range(jets.offsets[event], jets.offsets[event + 1]):
            members = jets.constituents[jets.constituent_offsets[j] : jets.constituent_offsets[j + 1]]
            found[frozenset(members.tolist())] = [jets.px[j], jets.py[j], jets.pz[j], jets.energy[j]]
        assert set(found) == set(expected)
        for key, p in found.items():
            assert p == pytest.approx(expected[key])


def test_jets_are_inside_the_cuts_and_ordered():
    particles = toy_particles(np.random.default_rng(4), [60, 60, 60])
    jets = cluster(particles, JetSettings(radius=0.6, pt_min=20, abs_eta_max=1.0))
    assert len(jets.pt) > 3
    assert (jets.pt >= 20).all()
    assert (np.abs(jets.eta) < 1.0).all()
    for first, last in zip(jets.offsets[:-1], jets.offsets[1:], strict=True):
        assert (np.diff(jets.pt[first:last]) <= 0).all()


def test_no_particles_no_jets():
    jets = cluster(toy_particles(np.random.default_rng(1), [0, 0]), JetSettings())
    assert jets.offsets.tolist() == [0, 0, 0]


def test_fastjets_banner_does_not_reach_stdout(capfd):

    load_fastjet.cache_clear()
    load_fastjet()
    assert capfd.readouterr().out == ""
