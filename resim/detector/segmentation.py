"""Calorimeter towers in eta and phi."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from resim.common.arrays import Floats, Integers
from resim.common.errors import InputError
from resim.detector.card import CardModule

_PARAMETER: Final = "EtaPhiBins"
_CELLS: Final = 4096
"""Cells of the table that finds bins; several times finer than the bins of known detectors."""


@dataclass(frozen=True, slots=True)
class Bins:
    """Adjacent intervals low < x <= high.

    Attributes:
        edges: float64 `(n_bins + 1,)`, ascending, in the unit of x.
        table: int64 `(n_cells + 2,)`. The range between the outer edges is cut into cells of equal width; an entry is
            the lowest bin that a point of the cell can lie in.
    """

    edges: Floats
    table: Integers

    @classmethod
    def of(cls, edges: Sequence[float]) -> "Bins":
        """Bins between edges that ascend.

        Raises:
            InputError: the outer edges are so close that a number cannot be divided by their distance.
        """
        array = np.array(edges, np.float64)
        if array[-1] - array[0] <= _CELLS / np.finfo(np.float64).max:
            raise InputError(f"the edges {array[0]:g} and {array[-1]:g} are too close; remove one")
        below = np.linspace(array[0], array[-1], _CELLS + 1)
        # Each cell has the bin of the cell before it: after rounding, the first guess may be too low, never too high.
        bins = np.concatenate([[0, 0], np.maximum(np.searchsorted(array, below[:-1]) - 1, 0)])
        return cls(array, bins)

    def locate(self, x: Floats) -> Integers:
        """Bin of every point, int64 `(n,)`, -1 outside. For many points faster than a binary search.

        Args:
            x: float64 `(n,)`.
        """
        low, high = self.edges[0], self.edges[-1]
        inside = (x > low) & (x <= high)
        x = np.where(inside, x, high)
        found = self.table[((x - low) * (_CELLS / (high - low))).astype(np.int64) + 1]
        while (above := x > self.edges[found + 1]).any():
            found += above
        return np.where(inside, found, -1)


@dataclass(frozen=True)
class Segmentation:
    """Towers of a calorimeter, numbered 0 ... n_towers - 1, eta bin after eta bin.

    Attributes:
        eta: bins in pseudorapidity.
        phi: the different binnings in azimuth, rad.
        division: int64 `(n_eta,)`, index into `phi` for every eta bin.
        first: int64 `(n_eta + 1,)`, number of the first tower of every eta bin.
    """

    eta: Bins
    phi: tuple[Bins, ...]
    division: Integers
    first: Integers

    @classmethod
    def from_card(cls, module: CardModule) -> "Segmentation":
        """Read `EtaPhiBins`: pairs of eta edges and the phi edges of the bins *below* them.

        The lists of eta edges may come in any order, as in Delphes' cards. Numbers are rounded to the 12 digits that
        the Tcl of Delphes keeps, so that edges computed in two ways are one edge. An eta edge that stands twice has
        the phi edges of both lists, as in Delphes (`fBinMap[eta].insert(phi)`).
        """
        pairs = module.pairs(_PARAMETER)
        etas, phis = (module.numbers([pair[i] for pair in pairs], _PARAMETER) for i in (0, 1))
        # A list that stands at thousands of eta edges is one object: comparing and hashing its numbers takes seconds.
        edges = {id(numbers): numbers for numbers in phis}
        edges = {key: _phi_edges(module, numbers) for key, numbers in edges.items()}
        of_edge: dict[float, tuple[float, ...]] = {}
        for values, numbers in zip(etas, phis, strict=True):
            if not all(low < high for low, high in pairwise(values)):
                module.fail(f"the eta edges {str(values)[:60]} of one list do not ascend", _PARAMETER)
            for eta in map(_round, values):
                before = of_edge.setdefault(eta, edges[id(numbers)])
                if before != edges[id(numbers)]:
                    of_edge[eta] = tuple(sorted({*before, *edges[id(numbers)]}))
        return cls._of(module, of_edge)

    @classmethod
    def _of(cls, module: CardModule, of_edge: dict[float, tuple[float, ...]]) -> "Segmentation":
        edges = sorted(of_edge)
        if len(edges) < 2 or not np.isfinite(edges).all():
            module.fail(f"the eta edges {edges} make no tower; want two finite ones or more", _PARAMETER)
        different = list({id(of_edge[edge]): of_edge[edge] for edge in edges[1:]}.values())
        place = {id(phis): number for number, phis in enumerate(different)}
        division = np.array([place[id(of_edge[edge])] for edge in edges[1:]])
        towers = np.array([len(phis) - 1 for phis in different])[division]
        first = np.concatenate([[0], np.cumsum(towers)])
        try:
            eta, phi = Bins.of(edges), tuple(Bins.of(phis) for phis in different)
        except InputError as error:
            module.fail(str(error), _PARAMETER)
        return cls(eta, phi, division, first)

    @property
    def n_towers(self) -> int:
        """Number of towers."""
        return int(self.first[-1])

    @cached_property
    def eta_bin(self) -> npt.NDArray[np.int32]:
        """Eta bin of every tower, int32 `(n_towers,)`."""
        return np.repeat(np.arange(len(self.first) - 1, dtype=np.int32), np.diff(self.first))

    def locate(self, eta: Floats, phi: Floats) -> Integers:
        """Tower of every point, int64 `(n,)`, -1 outside.

        Args:
            eta: float64 `(n,)`, pseudorapidity.
            phi: float64 `(n,)`, azimuth in [-pi, pi], rad.
        """
        eta_bin = self.eta.locate(eta)
        division = np.where(eta_bin >= 0, self.division[eta_bin], -1)
        phi = np.where(phi == -np.pi, np.pi, phi)
        tower = np.full(len(eta), -1)
        for number, bins in enumerate(self.phi):
            here = np.flatnonzero(division == number)
            phi_bin = bins.locate(phi[here])
            tower[here] = np.where(phi_bin >= 0, self.first[eta_bin[here]] + phi_bin, -1)
        return tower

    def centre_eta(self, tower: Integers) -> Floats:
        """Pseudorapidity of the centre of towers, float64 `(n,)`.

        Args:
            tower: int64 `(n,)`, numbers of towers.
        """
        edges = self.eta.edges
        return np.asarray((edges[1:] + edges[:-1])[self.eta_bin[tower]] / 2)

    def point(self, tower: Integers, eta_part: Floats, phi_part: Floats) -> tuple[Floats, Floats]:
        """Pseudorapidity and azimuth (rad) of one point in each tower, float64 `(n,)` both.

        Args:
            tower: int64 `(n,)`, numbers of towers.
            eta_part: float64 `(n,)` in 0 ... 1, position of the point between the lower and the upper eta edge.
            phi_part: float64 `(n,)` in 0 ... 1, likewise in phi.
        """
        eta_bin = self.eta_bin[tower]
        low, high = self.eta.edges[eta_bin], self.eta.edges[eta_bin + 1]
        edges = np.concatenate([bins.edges for bins in self.phi])
        start = np.concatenate([[0], np.cumsum([len(bins.edges) for bins in self.phi])])[self.division[eta_bin]]
        start = start + tower - self.first[eta_bin]
        return low + (high - low) * eta_part, edges[start] + (edges[start + 1] - edges[start]) * phi_part


def _phi_edges(module: CardModule, phis: tuple[float, ...]) -> tuple[float, ...]:
    edges = tuple(_round(phi) for phi in phis)
    if len(edges) < 2 or not all(low < high for low, high in pairwise(edges)):
        module.fail(
            f"the phi edges {str(phis)[:60]} do not ascend; want two or more, each above the last", _PARAMETER
        )
    if not (edges[0] >= -np.pi - 1e-9 and edges[-1] <= np.pi + 1e-9):
        module.fail(f"the phi edges {edges[0]:g} ... {edges[-1]:g} leave -pi ... pi", _PARAMETER)
    return edges


def _round(number: float) -> float:
    return float(f"{number:.12g}")
