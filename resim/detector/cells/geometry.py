"""Where the cells of a calorimeter lie, and which of them touch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resim.card.calorimeter_card import CalorimeterCard
from resim.common.arrays import Floats, Floats32, Integers
from resim.common.ragged import offsets_of


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells, numbered layer by layer, by pseudorapidity, by azimuth.

    Attributes:
        abs_eta_max: they lie below.
        sizes: int64 `(n_layers,)`, number in azimuth, and as many over the range of pseudorapidity.
        first: int64 `(n_layers + 1,)`, number of the first cell of every layer, and of all cells.
        noise: float32 `(n_cells,)`, standard deviation of the noise, GeV.
        neighbours: int32 `(n_pairs,)`; those of cell i are `neighbours[offsets[i]:offsets[i + 1]]`: of the same layer
            those with a common edge or corner, of the layers before and behind those that overlap in both angles.
        offsets: int64 `(n_cells + 1,)`.
    """

    abs_eta_max: float
    sizes: Integers
    first: Integers
    noise: Floats32
    neighbours: npt.NDArray[np.int32]
    offsets: Integers

    @classmethod
    def of(cls, card: CalorimeterCard) -> "Cells":
        """The cells of a card; takes about 0.1 s."""
        sizes = np.array([layer.cells for layer in card.layers])
        first = offsets_of(sizes**2)
        noise = np.repeat(np.array([layer.noise for layer in card.layers], np.float32), sizes**2)
        pairs = [pair for layer in range(len(sizes)) for pair in _pairs(sizes, first, layer)]
        cell, neighbour = (np.concatenate(column) for column in zip(*pairs, strict=True))
        neighbours = neighbour[np.lexsort((neighbour, cell))].astype(np.int32)
        offsets = offsets_of(np.bincount(cell, minlength=first[-1]))
        return cls(card.abs_eta_max, sizes, first, noise, neighbours, offsets)

    def __len__(self) -> int:
        """Number of cells."""
        return int(self.first[-1])

    def layer(self, cell: npt.NDArray[np.integer]) -> Integers:
        """Layers of some cells, int64 `(n,)`.

        Args:
            cell: integers `(n,)`, numbers of cells.
        """
        return np.searchsorted(self.first, cell, side="right") - 1

    def eta(self, cell: npt.NDArray[np.integer]) -> Floats:
        """Pseudorapidities of the centres of some cells, float64 `(n,)`."""
        layer = self.layer(cell)
        row = (cell - self.first[layer]) // self.sizes[layer]
        return (2 * (row + 0.5) / self.sizes[layer] - 1) * self.abs_eta_max

    def phi(self, cell: npt.NDArray[np.integer]) -> Floats:
        """Azimuths of the centres of some cells in (-pi, pi), rad, float64 `(n,)`."""
        layer = self.layer(cell)
        column = (cell - self.first[layer]) % self.sizes[layer]
        return (2 * (column + 0.5) / self.sizes[layer] - 1) * np.pi


def _pairs(sizes: Integers, first: Integers, layer: int) -> Sequence[tuple[Integers, Integers]]:
    """Cells of a layer and their neighbours, layer by layer of these."""
    own = np.arange(sizes[layer])
    found = []
    for other in range(max(layer - 1, 0), min(layer + 2, len(sizes))):
        size = sizes[other]
        if other == layer:
            low, high = own - 1, own + 1
        else:
            low, high = own * size // sizes[layer], ((own + 1) * size - 1) // sizes[layer]
        mine, theirs = _ranges(low, high)  # the same in pseudorapidity and, but for its border, in azimuth
        inside = np.flatnonzero((theirs >= 0) & (theirs < size))
        row, column = np.meshgrid(inside, np.arange(len(mine)), indexing="ij")
        cell = first[layer] + mine[row] * sizes[layer] + mine[column]
        neighbour = first[other] + theirs[row] * size + theirs[column] % size
        different = (cell != neighbour).ravel()
        found.append((cell.ravel()[different], neighbour.ravel()[different]))
    return found


def _ranges(low: Integers, high: Integers) -> tuple[Integers, Integers]:
    """Every number with every integer of its range `low ... high`: two int64 arrays."""
    counts = high - low + 1
    owner = np.repeat(np.arange(len(low)), counts)
    return owner, low[owner] + np.arange(len(owner)) - offsets_of(counts)[owner]
