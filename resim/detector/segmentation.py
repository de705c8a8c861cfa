"""Calorimeter towers in eta and phi."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resim.detector.card import CardModule
from resim.particles import Floats

Integers = npt.NDArray[np.int64]
_PARAMETER = "EtaPhiBins"


@dataclass(frozen=True, slots=True)
class Segmentation:
    """Towers of a calorimeter, numbered 0 ... n_towers - 1, eta bin after eta bin.

    A point belongs to the tower with low < eta <= high and low < phi <= high.

    Attributes:
        eta_edges: `(n_eta + 1,)`, ascending.
        phi_edges: the different divisions in phi, each ascending.
        division: `(n_eta,)`, which of them an eta bin has.
        first: `(n_eta + 1,)`, number of the first tower of an eta bin.
    """

    eta_edges: Floats
    phi_edges: tuple[Floats, ...]
    division: Integers
    first: Integers

    @classmethod
    def from_card(cls, module: CardModule) -> "Segmentation":
        """Read `EtaPhiBins`: pairs of eta edges and the phi edges of the bin *below* them.

        Eta edges may come in any order, as in Delphes' cards. Numbers are rounded to the 12 digits that the Tcl of
        Delphes keeps, so that edges computed in two ways are one edge.
        """
        items = module.items(_PARAMETER)
        if len(items) % 2:
            module.fail(f"has {len(items)} elements; want pairs of eta edges and phi edges", _PARAMETER)
        divisions: dict[str, tuple[float, ...]] = {}
        of_edge: dict[float, tuple[float, ...]] = {}
        for etas, phis in zip(items[::2], items[1::2], strict=True):
            if phis not in divisions:
                divisions[phis] = _phi_edges(module, phis)
            for eta in module.numbers(etas, _PARAMETER):
                if of_edge.setdefault(_round(eta), divisions[phis]) != divisions[phis]:
                    module.fail(f"eta edge {eta:g} stands twice with different phi edges; remove one", _PARAMETER)
        return cls._of(module, of_edge)

    @classmethod
    def _of(cls, module: CardModule, of_edge: dict[float, tuple[float, ...]]) -> "Segmentation":
        edges = sorted(of_edge)
        if len(edges) < 2 or not np.isfinite(edges).all():
            module.fail(f"the eta edges {edges} make no tower; want two finite ones or more", _PARAMETER)
        different = list(dict.fromkeys(of_edge[edge] for edge in edges[1:]))
        division = np.array([different.index(of_edge[edge]) for edge in edges[1:]])
        towers = np.array([len(phis) - 1 for phis in different])[division]
        first = np.concatenate([[0], np.cumsum(towers)])
        return cls(np.array(edges), tuple(np.array(phis) for phis in different), division, first)

    @property
    def n_towers(self) -> int:
        """Number of towers."""
        return int(self.first[-1])

    def locate(self, eta: Floats, phi: Floats) -> Integers:
        """Tower of every point, -1 outside.

        Args:
            eta: pseudorapidity `(n,)`.
            phi: azimuth `(n,)` in [-pi, pi].
        """
        eta_bin = np.searchsorted(self.eta_edges, eta) - 1
        inside = (eta_bin >= 0) & (eta_bin < len(self.division))
        eta_bin = np.where(inside, eta_bin, 0)
        division = self.division[eta_bin]
        phi = np.where(phi == -np.pi, np.pi, phi)
        tower = np.full(len(eta), -1)
        for number, edges in enumerate(self.phi_edges):
            here = np.flatnonzero(inside & (division == number))
            phi_bin = np.searchsorted(edges, phi[here]) - 1
            found = (phi_bin >= 0) & (phi_bin < len(edges) - 1)
            tower[here] = np.where(found, self.first[eta_bin[here]] + phi_bin, -1)
        return tower

    def eta_bin(self, tower: Integers) -> Integers:
        """Eta bin of every tower."""
        return np.searchsorted(self.first, tower, side="right") - 1

    def centre_eta(self, tower: Integers) -> Floats:
        """Pseudorapidity of the middle of every tower."""
        return np.asarray((self.eta_edges[1:] + self.eta_edges[:-1])[self.eta_bin(tower)] / 2)

    def point(self, tower: Integers, eta_part: Floats | float, phi_part: Floats | float) -> tuple[Floats, Floats]:
        """Eta and phi of a point inside every tower, at these parts (0 ... 1) of its width and height."""
        eta_bin = self.eta_bin(tower)
        low, high = self.eta_edges[eta_bin], self.eta_edges[eta_bin + 1]
        division, phi_bin = self.division[eta_bin], tower - self.first[eta_bin]
        start = np.concatenate([[0], np.cumsum([len(edges) for edges in self.phi_edges])])[division] + phi_bin
        edges = np.concatenate(self.phi_edges)
        phi_low, phi_high = edges[start], edges[start + 1]
        return low + (high - low) * eta_part, phi_low + (phi_high - phi_low) * phi_part


def _phi_edges(module: CardModule, text: str) -> tuple[float, ...]:
    edges = tuple(_round(phi) for phi in module.numbers(text, _PARAMETER))
    if len(edges) < 2 or not all(low < high for low, high in zip(edges, edges[1:], strict=False)):
        module.fail(f"the phi edges {text:.60} do not ascend; want two numbers or more, each larger", _PARAMETER)
    if not (edges[0] >= -np.pi - 1e-9 and edges[-1] <= np.pi + 1e-9):
        module.fail(f"the phi edges {edges[0]:g} ... {edges[-1]:g} leave -pi ... pi", _PARAMETER)
    return edges


def _round(number: float) -> float:
    return float(f"{number:.12g}")
