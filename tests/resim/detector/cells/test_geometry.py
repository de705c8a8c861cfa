"""Places and neighbours of cells against slow loops."""

import numpy as np
import pytest

from resim.detector.cells.geometry import Cells


@pytest.fixture(scope="module")
def cells(coarse) -> Cells:
    return coarse.cells


def test_every_cell_lies_in_its_layer_row_and_column(cells):
    n = 0
    for layer, size in enumerate(cells.sizes):
        for row in range(size):
            for column in range(size):
                place = cells.eta(np.array([n]))[0], cells.phi(np.array([n]))[0]
                assert cells.layer(np.array([n]))[0] == layer
                assert place == pytest.approx((-3 + 6 * (row + 0.5) / size, np.pi * (2 * (column + 0.5) / size - 1)))
                n += 1
    assert n == len(cells) == len(cells.noise)


def test_neighbours_touch_in_their_layer_and_overlap_between_layers(cells):
    """Against intervals of integers, in units of the finest cell."""
    finest = cells.sizes.max()
    chosen = np.unique(np.concatenate([np.arange(0, len(cells), 37), cells.first[1:-1], cells.first[1:] - 1]))

    def interval(cell: int) -> tuple[int, int, int, int]:
        layer = int(cells.layer(np.array([cell]))[0])
        row, column = divmod(cell - cells.first[layer], cells.sizes[layer])
        return layer, row, column, finest // cells.sizes[layer]

    def are_neighbours(a: int, b: int) -> bool:
        (la, ra, ca, wa), (lb, rb, cb, wb) = interval(a), interval(b)
        if la == lb:
            turn = abs(ca - cb)
            return a != b and abs(ra - rb) <= 1 and min(turn, cells.sizes[la] - turn) <= 1
        overlap = ra * wa < (rb + 1) * wb and rb * wb < (ra + 1) * wa
        return abs(la - lb) == 1 and overlap and ca * wa < (cb + 1) * wb and cb * wb < (ca + 1) * wa

    for cell in chosen[::3]:
        found = cells.neighbours[cells.offsets[cell] : cells.offsets[cell + 1]].tolist()
        assert found == [other for other in range(len(cells)) if are_neighbours(cell, other)]


def test_being_neighbours_is_mutual(cells):
    owner = np.repeat(np.arange(len(cells)), np.diff(cells.offsets))
    pairs = set(zip(owner.tolist(), cells.neighbours.tolist(), strict=True))
    assert pairs == {(b, a) for a, b in pairs}
