"""Noise of the cells: normal numbers that depend on the event and on the cell alone, made where they are asked for.

Nearly all cells hold noise below every threshold, and next to no cell that matters. So a cell gets its noise when it
is looked at first; what it gets does not depend on when that is.
"""

import math

import numba
import numpy as np

from resim.common.arrays import Booleans, Floats32, Integers
from resim.detector.cells.philox import Words, block, uniform


@numba.njit(cache=True)
def measured(
    cell: int, energies: Floats32, known: Booleans, sigma: Floats32, counter: Words, key: Words, out: Words
) -> float:
    """Energy of a cell with noise, GeV.

    Args:
        cell: its number.
        energies: float32 `(n_cells,)`, GeV; the noise of the cell and of another is added to them the first time.
        known: bool `(n_cells,)`, whether it was.
        sigma: float32 `(n_cells,)`, standard deviations, GeV.
        counter: uint64 `(4,)`, of which the third word is the number of the stream.
        key: uint64 `(2,)`, the seed of the event.
        out: uint64 `(4,)`, scratch.
    """
    if not known[cell]:
        first = cell - cell % 2
        counter[0], counter[3] = np.uint64(cell // 4), np.uint64(0)
        block(counter, key, out)
        _add(first, out[first % 4], out[first % 4 + 1], energies, known, sigma)
    return float(energies[cell])


@numba.njit(cache=True)
def measure_hit(
    energies: Floats32, known: Booleans, sigma: Floats32, threshold: float, key: Words, module: np.uint64
) -> Integers:
    """Add the noise to all cells in which something was deposited, and to all whose noise may exceed a threshold.

    Args:
        energies: as in `measured`.
        known: likewise.
        sigma: likewise.
        threshold: in units of the noise.
        key: likewise.
        module: number of the stream of random numbers.

    Returns:
        The cells that have their noise, int64 `(n,)`, ascending.
    """
    counter, out = np.zeros(4, np.uint64), np.zeros(4, np.uint64)
    counter[2] = module
    rare = math.exp(-0.5 * threshold * threshold)  # of a radius above the threshold
    for first in range(0, len(energies), 4):
        counter[0], counter[3] = np.uint64(first // 4), np.uint64(0)
        block(counter, key, out)
        for cell in range(first, min(first + 4, len(energies)), 2):
            hit = energies[cell] != 0 or (cell + 1 < len(energies) and energies[cell + 1] != 0)
            if hit or uniform(out[cell % 4]) < rare:
                _add(cell, out[cell % 4], out[cell % 4 + 1], energies, known, sigma)
    return np.flatnonzero(known)


@numba.njit(cache=True)
def _add(first: int, word: np.uint64, other: np.uint64, energies: Floats32, known: Booleans, sigma: Floats32) -> None:
    """Both numbers of Box and Muller (1958) for a pair of cells."""
    radius, angle = math.sqrt(-2 * math.log(uniform(word))), 2 * math.pi * uniform(other)
    energies[first] += sigma[first] * radius * math.cos(angle)
    known[first] = True
    if first + 1 < len(energies):
        energies[first + 1] += sigma[first + 1] * radius * math.sin(angle)
        known[first + 1] = True
