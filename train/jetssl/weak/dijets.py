"""Events of two jets, from the rows of pair files.

Letters: R rows, E events.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jetssl.data.table import PairTable
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
    rows, kinds = _leading_two(table, view, kind)
    jets = {name: getattr(table.jets, name)[view][rows].astype(np.float64) for name in ("pt", "eta", "phi", "mass")}
    apart = np.abs(jets["eta"][:, 0] - jets["eta"][:, 1])
    known = (kinds[:, 0] == kinds[:, 1]) & (kinds[:, 0] >= 0)
    found = DiJets(rows, _mass(jets), kinds[:, 0] == 1)
    return found.take(known & (apart < delta_eta))


def _leading_two(table: PairTable, view: int, kind: Integers) -> tuple[Integers, Integers]:
    """The two jets of highest pT of every hard scatter with two: their rows and kinds, int64 `(E, 2)`.

    Several partons may be matched to one jet: it counts once, with kind -1 if theirs differ.

    Args:
        table: the loaded pair files.
        view: index of the view.
        kind: of each row, `(R,)`.
    """
    valid = np.flatnonzero(table.rows.valid[view])
    jet = [getattr(table.jets, name)[view][valid] for name in ("pt", "eta", "phi")]
    keys = np.stack([table.rows.source[valid], table.rows.event[valid], -jet[0], *jet[1:]])
    order = np.lexsort(keys[::-1])
    keys, kinds = keys[:, order], kind[valid[order]]
    first = np.flatnonzero((np.diff(keys, prepend=np.nan) != 0).any(0))  # row of each jet
    rows, low, high = valid[order[first]], np.minimum.reduceat(kinds, first), np.maximum.reduceat(kinds, first)
    same = (np.diff(keys[:2, first]) == 0).all(0)
    leading = np.flatnonzero(np.append(True, ~same)[:-1] & same)
    two = np.stack([leading, leading + 1], axis=1)
    return rows[two], np.where(low == high, low, -1)[two]


def _mass(jets: dict[str, Floats]) -> Floats:
    """Of both jets together, GeV: arrays `(E, 2)` → `(E,)`."""
    pt, eta, phi = jets["pt"], jets["eta"], jets["phi"]
    momentum = np.stack([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)])
    energy = np.sqrt((momentum**2).sum(0) + jets["mass"] ** 2)
    square = energy.sum(1) ** 2 - (momentum.sum(2) ** 2).sum(0)
    return np.asarray(np.sqrt(np.maximum(square, 0)))
