"""Topological clusters against a slow flood fill on sets, on noise, toy peaks and showers."""

import numpy as np
import pytest

from resim.card.calorimeter_card import Thresholds
from resim.detector.cells.noise import measured
from resim.detector.cells.topoclusters import cluster_cells
from tests.helpers.particles import gun

THRESHOLDS = Thresholds(seed=4.6, growth=2.0, boundary=0.0, local_maximum=0.4)
SEED, MODULE = np.uint64(77), 3


def with_noise(deposited: np.ndarray, cells) -> np.ndarray:
    """Energies of all cells with their noise."""
    energies, known = deposited.copy(), np.zeros(len(cells), np.bool_)
    for cell in range(len(cells)):
        measured(cell, energies, known, cells.noise, (np.uint64(SEED), np.uint64(0)), np.uint64(MODULE))
    return energies


def slow_clusters(energies: np.ndarray, cells, thresholds: Thresholds) -> set[frozenset[int]]:
    """Clusters as sets of cells: the definition, with recursion over sets."""
    around = [set(cells.neighbours[a:b].tolist()) for a, b in zip(cells.offsets[:-1], cells.offsets[1:], strict=True)]
    significance = energies / cells.noise
    growing = set(np.flatnonzero(significance > thresholds.growth).tolist())
    clusters: list[set[int]] = []
    left = set(np.flatnonzero(significance > thresholds.seed).tolist())
    while left:
        cluster, front = set(), {left.pop()}
        while front:
            cluster |= front
            front = {n for cell in front for n in around[cell] & growing} - cluster
        left -= cluster
        clusters.append(cluster)
    inside = set().union(*clusters) if clusters else set()
    rim = {n for cell in inside for n in around[cell] if significance[n] > thresholds.boundary} - inside
    whole = [set(cluster) for cluster in clusters]
    for cell in rim:
        nearest = max(around[cell] & inside, key=lambda n: significance[n])
        whole[next(i for i, cluster in enumerate(clusters) if nearest in cluster)].add(cell)
    return {frozenset(part) for cluster in whole for part in slow_parts(cluster, energies, around, thresholds)}


def slow_parts(
    cluster: set[int], energies: np.ndarray, around: list[set[int]], thresholds: Thresholds
) -> list[set[int]]:
    """The cluster split among its local maxima: always the brightest cell next to a part joins its brightest neighbour."""
    maxima = [
        cell
        for cell in cluster
        if energies[cell] > thresholds.local_maximum
        and len(around[cell] & cluster) >= 4
        and all(energies[n] < energies[cell] for n in around[cell] & cluster)
    ]
    if len(maxima) < 2:
        return [cluster]
    part = {cell: i for i, cell in enumerate(maxima)}
    while len(part) < len(cluster):
        cell = max((c for c in cluster - part.keys() if around[c] & part.keys()), key=lambda c: energies[c])
        part[cell] = part[max(around[cell] & part.keys(), key=lambda n: energies[n])]
    return [{cell for cell, number in part.items() if number == i} for i in range(len(maxima))]


def fast_clusters(deposited: np.ndarray, cells, thresholds: Thresholds) -> set[frozenset[int]]:
    found = cluster_cells(deposited.copy(), cells, thresholds, SEED, MODULE)
    assert sorted(set(found.cluster.tolist())) == list(range(len(set(found.cluster.tolist()))))
    assert (np.diff(found.cell) > 0).all()
    return {frozenset(found.cell[found.cluster == i].tolist()) for i in set(found.cluster.tolist())}


@pytest.mark.parametrize("number", range(4))
def test_clusters_are_those_of_a_slow_flood_fill(coarse, number):
    """Random peaks of all sizes on the noise, close enough to merge and to split."""
    generator = np.random.default_rng(number)
    cells = coarse.cells
    deposited = np.zeros(len(cells), np.float32)
    for cell in generator.integers(0, len(cells), 40):
        around = cells.neighbours[cells.offsets[cell] : cells.offsets[cell + 1]]
        deposited[around] += generator.exponential(0.1, len(around)).astype(np.float32)
        deposited[cell] += np.float32(generator.exponential(1.0))
    slow = slow_clusters(with_noise(deposited, cells), cells, THRESHOLDS)
    assert len(slow) > 10
    assert fast_clusters(deposited, cells, THRESHOLDS) == slow


def test_lower_thresholds_find_seeds_in_the_noise_alone(coarse):
    thresholds = THRESHOLDS.model_copy(update={"seed": 2.5, "growth": 1.8})
    nothing = np.zeros(len(coarse.cells), np.float32)
    slow = slow_clusters(with_noise(nothing, coarse.cells), coarse.cells, thresholds)
    assert len(slow) > 5
    assert fast_clusters(nothing, coarse.cells, thresholds) == slow


def test_two_photons_are_two_clusters_if_they_are_apart(cocoa):
    """50 GeV each: one cluster for one, two for a pair 0.15 apart, whose energies are theirs."""
    from resim.particles import Particles

    one = gun(22, [50.0], [0.4], [0.3])
    other = gun(22, [50.0], [0.4], [0.45])
    both = {n: np.concatenate([getattr(p, n) for p in (one, other)]) for n in Particles.__slots__ if n != "offsets"}
    pair = Particles(offsets=np.array([0, 2]), **both)
    single = cocoa.read_out(one, [1]).clusters.energy
    double = np.sort(cocoa.read_out(pair, [1]).clusters.energy)[-2:]
    assert single.max() == pytest.approx(50 * np.cosh(0.4), rel=0.08)
    assert double == pytest.approx(50 * np.cosh(0.4), rel=0.12)


def test_an_event_without_anything_has_no_clusters(coarse):
    quiet = THRESHOLDS.model_copy(update={"seed": 6.5})
    found = cluster_cells(np.zeros(len(coarse.cells), np.float32), coarse.cells, quiet, SEED, MODULE)
    assert len(found.cell) == len(found.cluster) == len(found.energy) == 0
