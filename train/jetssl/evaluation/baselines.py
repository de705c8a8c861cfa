"""Inputs of the probe that nobody trained: numbers a physicist would take, the constituents themselves, images.

Letters: R rows, D columns, T constituents.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from jetssl.data.jets import Jets, constituents_of, gather_jets
from jetssl.data.table import PairTable
from jetssl.evaluation.efp import energy_flow_polynomials
from jetssl.evaluation.results import Baseline
from resim.common.arrays import Floats32
from resim.pairfile.reader import PairFile

LEADING_TRACKS: Final = 3
"""Tracks whose impact parameters are read."""
LEADING: Final = 20
"""Constituents of the input `constituents`."""
PIXELS: Final = 40
"""On each side of an image (arXiv:1511.05190 has 25, arXiv:1701.08784 up to 40)."""
HALF_WIDTH: Final = 0.8
"""Of an image, in eta and rad: the jet radius of the cards."""


def features(table: PairTable, view: int) -> Floats32:
    """Soft-drop mass, mass, multiplicity and pT of every row in a view, float32 `(R, 4)`."""
    jets = table.jets
    columns = [jets.softdrop_mass[view], jets.mass[view], jets.n_constituents[view], jets.pt[view]]
    return np.stack(columns, axis=1).astype(np.float32)


def wide_features(table: PairTable, view: int) -> Floats32:
    """`features`, tau21, tau32, and |d0|, |dz| in mm of the tracks of highest pT: float32 `(R, 6 + 2 * 3)`.

    tanh of the lengths in units of 0.1 mm: one strange particle in a jet must not set the scale. 0 without a track.
    """
    ratios = _subjettiness_ratios(table, view)
    jets, rows = _jets(table, view)
    columns = [features(table, view), ratios]
    place = _place_among(jets, jets.other["charge"] != 0)
    for name in ("d0", "dz"):
        lengths = np.zeros((table.rows.n_rows, LEADING_TRACKS), np.float32)
        chosen = (place >= 0) & (place < LEADING_TRACKS)
        lengths[jets.per_constituent(rows)[chosen], place[chosen]] = np.tanh(np.abs(jets.other[name][chosen]) / 0.1)
        columns.append(lengths)
    return np.concatenate(columns, axis=1)


def constituents(table: PairTable, view: int) -> Floats32:
    """Share of the jet's pT, delta eta, delta phi of the hardest constituents, else 0: float32 `(R, 60)`."""
    jets, rows = _jets(table, view)
    place = _place_among(jets, np.ones(len(jets.pt), np.bool_))
    chosen = place < LEADING
    filled = np.zeros((table.rows.n_rows, LEADING, 3), np.float32)
    values = np.stack([jets.pt / jets.per_constituent(jets.jet_pt), jets.d_eta, jets.d_phi], axis=1)
    filled[jets.per_constituent(rows)[chosen], place[chosen]] = values[chosen]
    return filled.reshape(len(filled), -1)


def images(table: PairTable, view: int) -> Floats32:
    """Share of the pT in cells of (delta eta, delta phi) around the jet axis, float32 `(R, 1600)`; not turned."""
    jets, rows = _jets(table, view)
    cells = [np.floor((values / HALF_WIDTH + 1) * PIXELS / 2).astype(int) for values in (jets.d_eta, jets.d_phi)]
    inside = np.all([(cell >= 0) & (cell < PIXELS) for cell in cells], axis=0)
    index = (jets.per_constituent(rows) * PIXELS + cells[0]) * PIXELS + cells[1]
    share = jets.pt / jets.per_constituent(jets.jet_pt)
    size = table.rows.n_rows * PIXELS**2
    return np.bincount(index[inside], share[inside], size).reshape(-1, PIXELS**2).astype(np.float32)


INPUTS: dict[Baseline, Callable[[PairTable, int], Floats32]] = {
    "features": features,
    "wide_features": wide_features,
    "constituents": constituents,
    "images": images,
    "efp": energy_flow_polynomials,
}
"""By the name that records and the command line use; called with the pair files and the index of a view."""


def _jets(table: PairTable, view: int) -> tuple[Jets, npt.NDArray[np.int64]]:
    """All jets of a view, and their rows."""
    rows = np.flatnonzero(table.rows.valid[view])
    return constituents_of(gather_jets(table, np.full(len(rows), view), rows)), rows


def _place_among(jets: Jets, counted: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Of each constituent that is counted, how many of its jet before it are, too; -1 for others: `(T,)`."""
    before = np.cumsum(counted, dtype=np.int64) - counted
    return np.where(counted, before - jets.per_constituent(before[jets.starts]), -1)


def _subjettiness_ratios(table: PairTable, view: int) -> Floats32:
    """tau2 / tau1 and tau3 / tau2 of every row, 0 where the denominator is: float32 `(R, 2)`."""
    name = table.rows.views[view]
    taus = []
    for axes in (1, 2, 3):
        of_files = []
        for record in table.rows.files:
            with PairFile(record.path) as file:
                of_files.append(file.jets(name, f"tau{axes}"))
        taus.append(np.nan_to_num(np.concatenate(of_files)))
    pairs = ((taus[1], taus[0]), (taus[2], taus[1]))
    ratios = [np.divide(up, down, out=np.zeros_like(up), where=down > 0) for up, down in pairs]
    return np.stack(ratios, axis=1).astype(np.float32)
