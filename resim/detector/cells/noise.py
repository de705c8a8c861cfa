"""Noise of the cells: normal numbers that depend on the event and on the cell alone, made where they are asked for.

Nearly all cells hold noise below every threshold, and next to no cell that matters. So a cell gets its noise when it
is looked at first; what it gets does not depend on when that is.
"""

import math
from typing import Final

import numba
import numpy as np

from resim.common.arrays import Booleans, Floats32, Integers
from resim.detector.cells.philox import Word, block, uniform

_ZERO: Final = np.uint64(0)


@numba.njit(cache=True, forceinline=True)
def measured(
    cell: int, energies: Floats32, known: Booleans, sigma: Floats32, key: tuple[Word, Word], module: Word
) -> float:
    """Energy of a cell with noise, GeV.

    Args:
        cell: its number.
        energies: float32 `(n_cells,)`, GeV; the noise of the cell and of another is added to them the first time.
        known: bool `(n_cells,)`, whether it was.
        sigma: float32 `(n_cells,)`, standard deviations, GeV.
        key: of the event.
        module: number of the stream of random numbers.
    """
    if not known[cell]:
        words = block((np.uint64(cell // 4), _ZERO, module, key[0], key[1]), _ZERO)
        first = cell - cell % 2
        if first % 4 == 0:
            _add(first, words[0], words[1], energies, known, sigma)
        else:
            _add(first, words[2], words[3], energies, known, sigma)
    return float(energies[cell])


@numba.njit(cache=True)
def measure_hit(
    energies: Floats32, known: Booleans, sigma: Floats32, threshold: float, key: tuple[Word, Word], module: Word
) -> Integers:
    """Add the noise to all cells in which something was deposited, and to all whose noise may exceed a threshold.

    Args:
        energies: as in `measured`.
        known: likewise.
        sigma: likewise.
        threshold: in units of the noise.
        key: likewise.
        module: likewise.

    Returns:
        The cells that have their noise, int64 `(n,)`, ascending.
    """
    rare = math.exp(-0.5 * threshold * threshold)  # of a radius above the threshold
    n_cells = len(energies)
    for first in range(0, n_cells, 4):
        words = block((np.uint64(first // 4), _ZERO, module, key[0], key[1]), _ZERO)
        if uniform(words[0]) < rare or _hit(first, energies):
            _add(first, words[0], words[1], energies, known, sigma)
        if first + 2 < n_cells and (uniform(words[2]) < rare or _hit(first + 2, energies)):
            _add(first + 2, words[2], words[3], energies, known, sigma)
    return np.flatnonzero(known)


@numba.njit(cache=True, forceinline=True)
def _hit(first: int, energies: Floats32) -> bool:
    """Whether something was deposited in a cell or the next one."""
    return bool(energies[first] != 0 or (first + 1 < len(energies) and energies[first + 1] != 0))


@numba.njit(cache=True, forceinline=True)
def _add(first: int, word: Word, other: Word, energies: Floats32, known: Booleans, sigma: Floats32) -> None:
    """Both numbers of Box and Muller (1958) for a pair of cells."""
    radius, angle = math.sqrt(-2 * math.log(uniform(word))), 2 * math.pi * uniform(other)
    energies[first] += sigma[first] * radius * math.cos(angle)
    known[first] = True
    if first + 1 < len(energies):
        energies[first + 1] += sigma[first + 1] * radius * math.sin(angle)
        known[first + 1] = True
