"""Class balance: an epoch leaves rows out, so that classes have the shares and the pT spectrum of the card.

Letters: R rows, K classes, Q bins in pT.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jetssl.config.data import BalanceCard
from jetssl.data.rows import Rows
from resim.common.arrays import Integers
from resim.common.errors import InputError


@dataclass(frozen=True, slots=True)
class Balance:
    """How many rows of every cell (class, bin in pT) an epoch uses, and which rows each cell has."""

    rows: Integers
    """int64 `(R,)`, ascending"""
    cell: Integers
    """int64 `(R,)`, the cell of each"""
    used: Integers
    """int64 `(cells,)`"""

    @property
    def n_used(self) -> int:
        """Rows in an epoch."""
        return int(self.used.sum())

    def draw(self, rng: np.random.Generator) -> Integers:
        """The rows of an epoch, ascending: a random choice in every cell."""
        if self.n_used == len(self.rows):
            return self.rows
        shuffled = rng.permutation(len(self.rows))
        by_cell = shuffled[np.argsort(self.cell[shuffled], kind="stable")]
        counts = np.bincount(self.cell, minlength=len(self.used))
        place = np.arange(len(by_cell)) - np.repeat(np.cumsum(counts) - counts, counts)
        return self.rows[np.sort(by_cell[place < np.repeat(self.used, counts)])]


def balance(rows: Rows, chosen: Integers, card: BalanceCard) -> Balance:
    """What an epoch uses of some rows: as many as the card allows without repeating one.

    In a bin where n_k rows of class k are, s_k being its share, min(n_k / s_k) s_k of them are used: all rows of the
    class that the bin has least of, by its share. Where weights of events differ, sums of their absolute values stand
    for numbers of rows.

    Args:
        rows: all rows.
        chosen: int64 `(R,)`, ascending: those that may be used.
        card: what is asked for.

    Raises:
        InputError: a class of the card is none of the data, one of the data is not on the card, or nothing is left.
    """
    if card.classes is None and card.pt_bins is None:
        return Balance(chosen, np.zeros(len(chosen), np.int64), np.array([len(chosen)]))
    n_classes, n_bins = len(rows.classes), card.pt_bins or 1
    cell = rows.class_index[chosen] * n_bins + quantile_bins(rows.parton_pt[chosen], n_bins)
    weight = np.abs(rows.weight[chosen])
    shape, n_cells = (n_classes, n_bins), n_classes * n_bins
    counts = np.bincount(cell, minlength=n_cells).reshape(shape)
    sums = np.bincount(cell, weight, n_cells).reshape(shape)
    present = counts.any(1)
    shares = _shares(rows.classes, sums, card)
    filled = (sums[present] / shares[present, None]).min(0)
    mean_weight = np.where(counts, sums / np.maximum(counts, 1), 1)
    used = np.floor(filled * shares[:, None] / mean_weight + 1e-9).astype(np.int64)  # 3 * (1 / 3) of 1 row is one row
    if not used.any():
        raise InputError(
            f"data.balance: no bin in pT holds every class ({', '.join(rows.classes)}); lower data.balance.pt_bins"
            f" ({n_bins}) or generate samples that overlap"
        )
    return Balance(chosen, cell, used.ravel())


def _shares(classes: tuple[str, ...], sums: npt.NDArray[Any], card: BalanceCard) -> npt.NDArray[np.float64]:
    """Shares of the classes, `(K,)`, as the card gives them or the data have them."""
    if card.classes is None:
        return np.asarray(sums.sum(1) / sums.sum())
    if set(card.classes) != set(classes):
        raise InputError(
            f"data.balance.classes names {', '.join(sorted(card.classes))}, the data have {', '.join(classes)};"
            " give the share of every class"
        )
    return np.array([card.classes[name] for name in classes])


def quantile_bins(values: npt.NDArray[np.floating], n_bins: int) -> Integers:
    """Bin 0 ... n_bins - 1 of each value, float `(R,)` → int64 `(R,)`: quantiles; equal values are in one bin."""
    edges = np.quantile(values, np.arange(1, n_bins) / n_bins)
    return np.searchsorted(edges, values, side="right")
