"""Events of two jets, from the rows of pair files.

Letters: R rows, E events.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jetssl.data.table import PairTable
from resim.common.angles import wrap
from resim.common.arrays import Booleans, Floats, Integers


@dataclass(frozen=True, slots=True)
class DiJets:
    """Events of two jets, the leading one first."""

    rows: npt.NDArray[np.int64]
    """int64 `(E, 2)`, rows of the jets"""
    mass: Floats
    """float64 `(E,)`, GeV, of both jets together"""
    is_signal: Booleans
    """bool `(E,)`"""

    def take(self, chosen: Booleans) -> "DiJets":
        """Some of them."""
        return DiJets(self.rows[chosen], self.mass[chosen], self.is_signal[chosen])


def dijets(table: PairTable, view: int, signal: Sequence[str], background: Sequence[str], delta_eta: float) -> DiJets:
    """The two hardest jets of every hard scatter that has two in a view.

    Args:
        table: the loaded pair files.
        view: index of the view.
        signal: classes whose events are signal.
        background: classes whose events are background; those with a jet of another class, or of both, are left out.
        delta_eta: largest distance of the jets in eta. QCD prefers large ones, a resonance does not.
    """
    place = {name: number for names, number in ((background, 0), (signal, 1)) for name in names}
    kind = np.array([place.get(name, -1) for name in table.rows.classes])[table.rows.class_index]
    rows = _leading_two(table, view)
    jets = {name: getattr(table.jets, name)[view][rows].astype(np.float64) for name in ("pt", "eta", "phi", "mass")}
    apart = np.abs(jets["eta"][:, 0] - jets["eta"][:, 1])
    # Two partons may be matched to one jet, which is no di-jet.
    different = (apart > 0) | (np.asarray(wrap(jets["phi"][:, 0] - jets["phi"][:, 1])) != 0)
    known = (kind[rows[:, 0]] == kind[rows[:, 1]]) & (kind[rows[:, 0]] >= 0)
    found = DiJets(rows, _mass(jets), kind[rows[:, 0]] == 1)
    return found.take(known & different & (apart < delta_eta))


def _leading_two(table: PairTable, view: int) -> Integers:
    """Rows of the two jets of highest pT of every hard scatter with two valid rows: int64 `(E, 2)`."""
    rows = table.rows
    valid = np.flatnonzero(rows.valid[view])
    order = valid[np.lexsort((-table.jets.pt[view][valid], rows.event[valid], rows.source[valid]))]
    same = (np.diff(rows.event[order]) == 0) & (np.diff(rows.source[order]) == 0)
    first = np.append(True, ~same)[: len(order)]
    leading = np.flatnonzero(first[:-1] & same)
    return np.stack([order[leading], order[leading + 1]], axis=1)


def _mass(jets: dict[str, Floats]) -> Floats:
    """Of both jets together, GeV: arrays `(E, 2)` → `(E,)`."""
    pt, eta, phi = jets["pt"], jets["eta"], jets["phi"]
    momentum = np.stack([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)])
    energy = np.sqrt((momentum**2).sum(0) + jets["mass"] ** 2)
    square = energy.sum(1) ** 2 - (momentum.sum(2) ** 2).sum(0)
    return np.asarray(np.sqrt(np.maximum(square, 0)))
