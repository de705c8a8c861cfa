"""Pairs without re-simulation, as in MACK (arXiv:2410.13947): the nearest jet of another simulation.

The two jets are of different hard scatters, so nothing but their likeness makes them a pair: the baseline that
re-simulation has to beat.

Letters: R rows, B jets, K candidates.
"""

from contextlib import closing

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from jetssl.data.emd import EnergyFlow, bounding_numbers, energy_movers_distance, flows
from jetssl.data.jets import Jets, gather_jets
from jetssl.data.reading import JetSource, Place
from jetssl.data.rows import Rows
from resim.common.arrays import Integers
from resim.common.errors import InputError
from resim.common.progress import ProgressReport

RADIUS = 0.8
"""R of the distance: that of the jets of the shipped cards. A larger one makes angles cost less than pT."""


def partners(
    rows: Rows, groups: list[Integers], views: tuple[int, int], candidates: int, *, quiet: bool = False
) -> Integers:
    """The row whose jet in the second view is nearest to a row's jet in the first one.

    Args:
        rows: all rows of the files.
        groups: int64, ascending: rows that are valid in both views; partners are of the same group.
        views: indices of the views.
        candidates: K.
        quiet: no progress on stderr.

    Returns:
        int64 `(R,)`; -1 for rows of no group.

    Raises:
        InputError: a group is a single hard scatter.
    """
    found = np.full(rows.n_rows, -1)
    progress = ProgressReport("pairing", sum(map(len, groups)), "rows", quiet)
    with closing(JetSource(Place.of(rows), ())) as source, progress:
        for group in groups:
            table, places = source.read(group), np.arange(len(group))
            first, second = (gather_jets(table, np.full(len(group), view), places) for view in views)
            found[group] = group[nearest(first, second, rows.identity[group], candidates, progress)]
    return found


def nearest(
    first: Jets, second: Jets, identity: npt.NDArray[np.uint64], candidates: int, progress: ProgressReport
) -> Integers:
    """For each jet the nearest one of other hard scatters, by energy mover's distance: int64 `(B,)`.

    Looked for among the K jets for which a bound of the distance is lowest, so with K as large as B it is the nearest
    of all.

    Args:
        first: B jets.
        second: B other ones.
        identity: of the hard scatter of jet i of `first` and of `second`, `(B,)`.
        candidates: K.
        progress: told of each of the B jets.

    Raises:
        InputError: all jets are of one hard scatter.
    """
    kin = int(np.unique(identity, return_counts=True)[1].max())
    if kin == len(identity):
        raise InputError("views.pairing emd: all jets of a split are of one hard scatter; generate more events")
    one, other = (bounding_numbers(jets, RADIUS) for jets in (first, second))
    bounds, order = KDTree(other).query(one, k=min(len(other), candidates + kin), p=np.inf)
    of_first, of_second = flows(first), flows(second)
    found = np.empty(len(identity), np.int64)
    for i, allowed in enumerate(identity[order] != identity[:, None]):
        found[i] = _nearest(of_first[i], of_second, order[i][allowed][:candidates], bounds[i][allowed][:candidates])
        progress.advance(1)
    return found


def _nearest(jet: EnergyFlow, others: list[EnergyFlow], order: Integers, bounds: npt.NDArray[np.float64]) -> int:
    """The nearest of some jets, which come in the order of ascending bounds of the distance."""
    best, least = -1, np.inf
    for candidate, bound in zip(order.tolist(), bounds, strict=True):
        if bound >= least:
            break
        distance = energy_movers_distance(jet, others[candidate], RADIUS)
        if distance < least:
            best, least = candidate, distance
    return best
