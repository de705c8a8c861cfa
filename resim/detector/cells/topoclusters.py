"""Topological clusters of cells (ATLAS, arXiv:1603.02934, section 3.1), compiled, one event at a time.

Cells above the seed threshold start clusters, cells above the growth threshold hand them on to their neighbours, and
neighbours above the boundary threshold close them; clusters that meet in a growing cell are one. A cluster with
several local maxima is split among these.
"""

import heapq
import math
from dataclasses import dataclass
from typing import Final

import numba
import numpy as np
import numpy.typing as npt

from resim.card.calorimeter_card import Thresholds
from resim.common.arrays import Booleans, Floats32, Integers
from resim.detector.cells.geometry import Cells
from resim.detector.cells.noise import measure_hit, measured
from resim.detector.cells.philox import Word, key_of

Numbers = npt.NDArray[np.int32]

_NONE: Final = -1
_WAITING: Final = -2
_LEAST_NEIGHBOURS: Final = 4
"""Neighbours in its cluster that a local maximum needs (arXiv:1603.02934, section 3.1.2)."""


@dataclass(frozen=True, slots=True)
class Clustered:
    """The cells of the clusters of an event.

    Attributes:
        cell: int64 `(n,)`, numbers of the cells, ascending.
        energy: float32 `(n,)`, with noise, GeV.
        cluster: int64 `(n,)`, number of the cluster, from 0 without a gap.
    """

    cell: Integers
    energy: Floats32
    cluster: Integers


def cluster_cells(
    energies: Floats32, cells: Cells, thresholds: Thresholds, seed: np.uint64, module: int
) -> Clustered:
    """Clusters of the cells of an event.

    Args:
        energies: float32 `(n_cells,)`, what was deposited, GeV; the noise is added where it is looked at.
        cells: the cells.
        thresholds: of the clusters.
        seed: of the event.
        module: number of the stream of random numbers of the noise.
    """
    limits = (thresholds.seed, thresholds.growth, thresholds.boundary, thresholds.local_maximum)
    found, labels = _clusters(
        energies, cells.noise, cells.neighbours, cells.offsets, limits, np.uint64(seed), np.uint64(module)
    )
    order = np.argsort(found)
    cell = found[order]
    _, number = np.unique(labels[order], return_inverse=True)
    return Clustered(cell, energies[cell], number)


@numba.njit(cache=True)
def _clusters(
    energies: Floats32,
    sigma: Floats32,
    neighbours: Numbers,
    offsets: Integers,
    limits: tuple[float, float, float, float],
    seed: Word,
    module: Word,
) -> tuple[Integers, Numbers]:
    """Cells of the clusters, and the numbers of these."""
    known, labels = np.zeros(len(energies), np.bool_), np.full(len(energies), _NONE, np.int32)
    key = key_of(seed)
    hit = measure_hit(energies, known, sigma, limits[0], key, module)
    growing, rim = _grow(hit, energies, known, sigma, neighbours, offsets, limits, key, module, labels)
    of_rim = np.empty(len(rim), np.int32)
    for i in range(len(rim)):
        of_rim[i] = labels[_most_significant(rim[i], energies, sigma, neighbours, offsets, labels)]
    labels[rim] = of_rim
    cells = np.concatenate((growing, rim))
    _split(cells, energies, neighbours, offsets, limits[3], labels)
    return cells, labels[cells]


@numba.njit(cache=True)
def _grow(
    hit: Integers,
    energies: Floats32,
    known: Booleans,
    sigma: Floats32,
    neighbours: Numbers,
    offsets: Integers,
    limits: tuple[float, float, float, float],
    key: tuple[Word, Word],
    module: Word,
    labels: Numbers,
) -> tuple[Integers, Integers]:
    """Cells that hand clusters on, with the number of theirs, and neighbours that close them, not yet numbered."""
    waiting = np.zeros(len(energies), np.bool_)
    growing, rim = [0 for _ in range(0)], [0 for _ in range(0)]
    n_clusters = done = 0
    for seed in hit:
        if labels[seed] != _NONE or not energies[seed] > limits[0] * sigma[seed]:
            continue
        labels[seed] = n_clusters
        growing.append(seed)
        while done < len(growing):
            cell = growing[done]
            done += 1
            for other in neighbours[offsets[cell] : offsets[cell + 1]]:
                if labels[other] != _NONE or waiting[other]:
                    continue
                energy = measured(other, energies, known, sigma, key, module)
                if energy > limits[1] * sigma[other]:
                    labels[other] = n_clusters
                    growing.append(int(other))
                elif energy > limits[2] * sigma[other]:
                    waiting[other] = True
                    rim.append(int(other))
        n_clusters += 1
    return np.array(growing, np.int64), np.array(rim, np.int64)


@numba.njit(cache=True)
def _most_significant(
    cell: int, energies: Floats32, sigma: Floats32, neighbours: Numbers, offsets: Integers, labels: Numbers
) -> int:
    """The neighbour in a cluster that is highest above its noise; there is one."""
    best, highest = _NONE, -math.inf
    for other in neighbours[offsets[cell] : offsets[cell + 1]]:
        if labels[other] != _NONE and energies[other] / sigma[other] > highest:
            best, highest = other, energies[other] / sigma[other]
    return best


@numba.njit(cache=True)
def _split(
    cells: Integers, energies: Floats32, neighbours: Numbers, offsets: Integers, least: float, labels: Numbers
) -> None:
    """Split clusters with several local maxima: cells join these by falling energy, each its brightest neighbour.

    Args:
        cells: int64 `(n,)`, all cells in clusters.
        energies: of all cells.
        neighbours: of all cells.
        offsets: of these.
        least: energy that a local maximum needs.
        labels: cluster of every cell; changed in place to numbers that differ from all before.
    """
    n_maxima = np.zeros(len(cells), np.int64)
    maxima = [c for c in cells if energies[c] > least and _is_maximum(c, energies, neighbours, offsets, labels)]
    for cell in maxima:
        n_maxima[labels[cell]] += 1
    part = np.full(len(energies), _NONE, np.int32)
    front = [(np.float64(0), np.int64(0)) for _ in range(0)]
    maxima = [cell for cell in maxima if n_maxima[labels[cell]] > 1]
    for i in range(len(maxima)):
        part[maxima[i]] = len(cells) + i
    for cell in maxima:
        _push(front, cell, energies, neighbours, offsets, labels, part)
    while len(front) > 0:
        _, cell = heapq.heappop(front)
        brightest = _NONE
        for other in neighbours[offsets[cell] : offsets[cell + 1]]:
            mine = labels[other] == labels[cell] and part[other] >= 0
            if mine and (brightest == _NONE or energies[other] > energies[brightest]):
                brightest = other
        part[cell] = part[brightest]
        _push(front, int(cell), energies, neighbours, offsets, labels, part)
    for cell in cells:
        if part[cell] != _NONE:
            labels[cell] = part[cell]


@numba.njit(cache=True)
def _is_maximum(cell: int, energies: Floats32, neighbours: Numbers, offsets: Integers, labels: Numbers) -> bool:
    """Whether no neighbour in the cluster has more energy, and there are enough of them."""
    n = 0
    for other in neighbours[offsets[cell] : offsets[cell + 1]]:
        if labels[other] == labels[cell]:
            n += 1
            if energies[other] >= energies[cell]:
                return False
    return n >= _LEAST_NEIGHBOURS


@numba.njit(cache=True)
def _push(
    front: list[tuple[np.float64, np.int64]],
    cell: int,
    energies: Floats32,
    neighbours: Numbers,
    offsets: Integers,
    labels: Numbers,
    part: Numbers,
) -> None:
    """Add the neighbours of a cell in its cluster to the front, those without a part that are not in it yet."""
    for other in neighbours[offsets[cell] : offsets[cell + 1]]:
        if labels[other] == labels[cell] and part[other] == _NONE:
            part[other] = _WAITING
            heapq.heappush(front, (-np.float64(energies[other]), np.int64(other)))
