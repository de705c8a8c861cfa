"""Which two stored views of a row form a pair.

Letters: V views, R or B rows, K choices.
"""

from itertools import permutations

import numpy as np

from jetssl.config.data import ANY, ViewsCard
from resim.common.arrays import Booleans, Integers


def choices(views: tuple[str, ...], card: ViewsCard, jets_per_row: int) -> Integers:
    """What a card allows: int64 `(K, 2)`, indices into `views`.

    Both are the same view where one stored view is enough: if both jets are augmentations of it, or for an objective
    that looks at one jet of a row.

    Args:
        views: names of the V common views.
        card: the section `views`, whose names are among them.
        jets_per_row: 2 for pairs, 1 for an objective that looks at one jet at a time.

    >>> choices(("nominal", "seed", "vincia"), ViewsCard(pairs=[("nominal", "any")]), 2).tolist()
    [[0, 1], [0, 2], [1, 0], [2, 0]]
    """
    if card.source == "augment" or jets_per_row == 1:
        named = {name for pair in card.pairs for name in pair}
        return np.array([(i, i) for i, name in enumerate(views) if named & {name, ANY}], np.int64).reshape(-1, 2)
    if card.pairing == "emd":
        first, second = card.pairs[0]
        return np.array([(views.index(first), views.index(second))], np.int64)
    allowed = {
        (i, j)
        for i, j in permutations(range(len(views)), 2)
        for first, second in card.pairs
        if {(views[i], views[j]), (views[j], views[i])} & _meant(first, second, views)
    }
    return np.array(sorted(allowed), np.int64).reshape(-1, 2)


def _meant(first: str, second: str, views: tuple[str, ...]) -> set[tuple[str, str]]:
    ones, others = (views if name == ANY else (name,) for name in (first, second))
    return {(one, other) for one in ones for other in others}


def possible(valid: Booleans, chosen: Integers) -> Booleans:
    """Whether both views of a choice are valid: bool `(V, R)`, `(K, 2)` → bool `(K, R)`."""
    first, second = chosen.T
    return np.asarray(valid[first] & valid[second])


def usable_rows(valid: Booleans, chosen: Integers) -> Booleans:
    """Whether a row has any possible choice: bool `(R,)`; memory does not grow with K."""
    usable = np.zeros(valid.shape[1], bool)
    for first, second in chosen:
        usable |= valid[first] & valid[second]
    return usable


def draw_views(valid: Booleans, chosen: Integers, rng: np.random.Generator) -> Integers:
    """A possible choice for every row, all equally likely.

    Args:
        valid: bool `(V, B)`; every column has a possible choice.
        chosen: int64 `(K, 2)`, from `choices`.
        rng: random numbers.

    Returns:
        int64 `(2, B)`, indices of views.
    """
    ranks = np.where(possible(valid, chosen), rng.random((len(chosen), valid.shape[1])), -1)
    return np.asarray(chosen[ranks.argmax(0)].T)
