"""Quanta in cells: their sum, its fluctuation, and where they go, against the densities that they are drawn from."""

import numpy as np
import pytest

from resim.detector.cells.quanta import _radius, prepared
from resim.detector.cells.showers import ELECTROMAGNETIC
from resim.detector.random import Stream
from tests.helpers.particles import gun


def energies(detector, pdg_id: int, energy: float, n: int, eta: float = 0.0) -> np.ndarray:
    """Energy in every cell `(n, n_cells)` without noise, GeV."""
    particles = gun(pdg_id, [energy / np.cosh(eta)] * n, [eta] * n, np.linspace(-3, 3, n))
    _, arrivals = detector._arrivals(particles)
    seeds = np.arange(n, dtype=np.uint64)
    deposits = detector.showers.deposits(arrivals, Stream.of(seeds, "showers"))
    rows = prepared(deposits, arrivals)
    offsets = np.searchsorted(arrivals.event[deposits.particle], np.arange(n + 1))
    found = np.zeros((n, len(detector.cells)), np.float32)
    for event in range(n):
        detector.sampler.throw(rows[offsets[event] : offsets[event + 1]], seeds[event], 1, found[event])
    return found


def by_layer(detector, found: np.ndarray) -> np.ndarray:
    return np.add.reduceat(found, detector.cells.first[:-1], axis=1)


def test_electrons_are_measured_with_the_sampling_term(coarse):
    """a = 10 % and a constant term of 0.7 %; 22 radiation lengths hold nearly all of 2 GeV."""
    total = energies(coarse, 11, 2.0, 1500).sum(axis=1)
    assert total.mean() == pytest.approx(2, rel=0.01)
    assert total.std() / total.mean() == pytest.approx(np.hypot(0.1 / 2**0.5, 0.007), rel=0.06)


def test_the_longitudinal_profile_is_the_gamma_distribution(coarse):
    """Mean fractions of layers of 30 GeV electrons against the mean of the drawn distributions."""
    from scipy.special import gammainc

    n = 400
    found = by_layer(coarse, energies(coarse, 11, 30.0, n)).mean(axis=0) / 30
    _, arrivals = coarse._arrivals(gun(11, [30.0] * n, [0.0] * n, np.linspace(-3, 3, n)))
    drawn = coarse.showers.deposits(arrivals, Stream.of(np.arange(n, dtype=np.uint64), "showers"))
    edges = coarse.stack.x0_edges[:4, None] / arrivals.cosine
    inside = np.diff(gammainc(drawn.shape, edges / drawn.scale), axis=0).mean(axis=1)
    assert found[:3] == pytest.approx(inside, abs=0.004)


def test_electromagnetic_showers_are_as_narrow_as_the_moliere_radius_says(cocoa):
    """PDG: 90 % of the energy within one, 95 % within two Moliere radii; cells of 0.8 radii blur that."""
    found = energies(cocoa, 11, 50.0, 60)
    cells = cocoa.cells
    layer = slice(cells.first[1], cells.first[2])
    index = np.arange(cells.first[1], cells.first[2])
    middle = 1500 + (cocoa.stack.edges[1] + cocoa.stack.edges[2]) / 2
    radius = cocoa.stack.media[1].moliere_radius
    share = []
    for event in found:
        energy = event[layer]
        axis = [np.average(angle, weights=energy) for angle in (cells.eta(index), cells.phi(index))]
        distance = middle * np.hypot(cells.eta(index) - axis[0], cells.phi(index) - axis[1])
        share.append([energy[distance < n * radius].sum() / energy.sum() for n in (1, 2)])
    one, two = np.mean(share, axis=0)
    assert 0.75 < one < 0.95
    assert 0.93 < two < 0.99


@pytest.mark.parametrize(("pdg_id", "energy"), [(130, 3.0), (130, 10.0), (130, 50.0), (22, 3.0), (22, 0.2)])
def test_electromagnetic_energy_lies_within_two_moliere_radii(coarse, pdg_id, energy):
    """PDG: 95 %, of photons and of the electromagnetic part of hadrons, however soft the shower is."""
    n = 1000
    _, arrivals = coarse._arrivals(gun(pdg_id, [energy] * n, [0.0] * n))
    found = coarse.showers.deposits(arrivals, Stream.of(np.arange(n, dtype=np.uint64), "showers"))
    found = found.select(found.kind == ELECTROMAGNETIC)
    slab = coarse.sampler.slabs[ELECTROMAGNETIC, 1].copy()
    slab["radius"] = 1
    generator = np.random.default_rng(7)
    u, other = generator.random((2, len(found)))
    depth = found.scale * generator.gamma(found.shape)
    rows = prepared(found, arrivals)
    median = [_radius(*each, slab, coarse.sampler.radius, draw)
              for *each, draw in zip(rows, depth, other, strict=True)]  # fmt: skip
    assert np.average(np.sqrt(u / (1 - u)) * median < 2, weights=found.energy) > 0.9


def test_hadrons_answer_less_than_electrons(coarse):
    """Between h / e and 1, growing with energy."""
    low, high = (energies(coarse, 130, e, 300).sum(axis=1).mean() / e for e in (3.0, 100.0))
    assert 1 / 1.74 < low < high < 0.9


def test_an_event_does_not_depend_on_its_neighbours(coarse):
    particles = gun(211, [10.0] * 2, [0.0] * 2)
    one = coarse.read_out(particles.events(1, 2), [9]).hits
    two = coarse.read_out(particles, [8, 9]).hits
    assert np.array_equal(two.energy[two.event == 1], one.energy)
