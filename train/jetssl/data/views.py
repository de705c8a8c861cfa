"""Which two stored views of a row form a pair.

Letters: V views, R or B rows, K choices.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations, product

import numpy as np

from jetssl.config.data import ANY, ViewsCard
from resim.card.view_tree import family_of
from resim.common.arrays import Booleans, Integers
from resim.common.errors import InputError


@dataclass(frozen=True)
class Choices:
    """Pairs of views that may be drawn for a row.

    Both are the same view where one stored view is enough: if both jets are augmentations of it, or for an objective
    that looks at one jet of a row.
    """

    pairs: Integers
    """int64 `(K, 2)`, indices of views"""
    kind: Integers
    """int64 `(K,)`, equal where both views are of the same two families, in whatever order: a kind is as likely as
    another, however many members its families have"""

    def __len__(self) -> int:
        """K."""
        return len(self.pairs)

    @cached_property
    def alike(self) -> bool:
        """Whether all choices are as likely: there is one kind, or each is of one pair, in as many orders."""
        n_orders = np.unique(self.kind, return_counts=True)[1]
        n_pairs = len(np.unique(np.sort(self.pairs, axis=1), axis=0))
        return len(n_orders) == 1 or (len(n_orders) == n_pairs and len(set(n_orders.tolist())) == 1)

    def possible(self, valid: Booleans) -> Booleans:
        """Whether both views of a choice are valid: bool `(V, R)` → bool `(K, R)`."""
        first, second = self.pairs.T
        return np.asarray(valid[first] & valid[second])

    def usable(self, valid: Booleans) -> Booleans:
        """Whether a row has any possible choice: bool `(V, R)` → bool `(R,)`; memory does not grow with K."""
        usable = np.zeros(valid.shape[1], bool)
        for first, second in self.pairs:
            usable |= valid[first] & valid[second]
        return usable

    def draw(self, valid: Booleans, rng: np.random.Generator) -> Integers:
        """A possible choice for every row: each kind is as likely, and each choice of a kind.

        Args:
            valid: bool `(V, B)`; every column has a possible choice.
            rng: random numbers.

        Returns:
            int64 `(2, B)`, indices of views.
        """
        possible = self.possible(valid)
        ranks = rng.random(possible.shape)
        if not self.alike:
            # The largest of u^(1/w) is drawn in proportion to w, here 1 / choices of the kind (Efraimidis, Spirakis
            # 2006, Inf. Process. Lett. 97, 181); the logarithm keeps small numbers apart.
            of_kind = (np.arange(self.kind.max() + 1)[:, None] == self.kind).astype(np.int64) @ possible
            ranks = 1 + of_kind[self.kind] * np.log1p(-ranks)
        ranks = np.where(possible, ranks, -np.inf)
        return np.asarray(self.pairs[ranks.argmax(0)].T)


def named(name: str, views: Sequence[str]) -> tuple[str, ...]:
    """Views that a name means: the view, the members of the family, or all.

    >>> named("redetect", ("nominal", "redetect/0", "redetect/1"))
    ('redetect/0', 'redetect/1')
    """
    return tuple(view for view in views if name in (ANY, view, family_of(view)))


def among(wanted: Sequence[str], views: Sequence[str]) -> tuple[str, ...]:
    """Views that any of some names means, in their own order; all of them without a name.

    >>> among(("redetect/1", "nominal"), ("nominal", "redetect/0", "redetect/1"))
    ('nominal', 'redetect/1')
    """
    return tuple(view for view in views if not wanted or any(view in named(name, views) for name in wanted))


def choices(views: tuple[str, ...], card: ViewsCard, jets_per_row: int) -> Choices:
    """What a card allows.

    Args:
        views: names of the V common views.
        card: the section `views`, whose names are among them.
        jets_per_row: 2 for pairs, 1 for an objective that looks at one jet at a time.

    Raises:
        InputError: a pair wants two different views where there is one, or one view where there is a family.

    >>> choices(("nominal", "seed", "vincia"), ViewsCard(pairs=[("nominal", "any")]), 2).pairs.tolist()
    [[0, 1], [0, 2], [1, 0], [2, 0]]
    """
    if card.source == "augment" or jets_per_row == 1:
        wanted = {view for pair in card.pairs for name in pair for view in named(name, views)}
        return _choices(views, {(i, i) for i, view in enumerate(views) if view in wanted})
    if card.pairing == "emd":
        return _choices(views, {_one_of_each(card.pairs[0], views)})
    return _choices(views, {order for pair in card.pairs for order in _meant(pair, views, card.source)})


def _choices(views: tuple[str, ...], pairs: set[tuple[int, int]]) -> Choices:
    ordered = np.array(sorted(pairs), np.int64).reshape(-1, 2)
    kinds = [tuple(sorted((family_of(views[i]), family_of(views[j])))) for i, j in ordered]
    numbers = {kind: number for number, kind in enumerate(dict.fromkeys(kinds))}
    return Choices(ordered, np.array([numbers[kind] for kind in kinds], np.int64))


def _meant(pair: tuple[str, str], views: tuple[str, ...], source: str) -> set[tuple[int, int]]:
    """Views of a pair of names, in both orders; one view twice only if it is seen anew each time."""
    first, second = (set(named(name, views)) for name in pair)
    orders = product(range(len(views)), repeat=2) if source == "live" else permutations(range(len(views)), 2)
    found = {
        (i, j)
        for i, j in orders
        if (views[i] in first and views[j] in second) or (views[j] in first and views[i] in second)
    }
    if not found and ANY not in pair:
        raise InputError(
            f"views.pairs holds [{', '.join(pair)}]: with source {source} the two views of a row are different ones,"
            f" and the files have no family {pair[0]!r} of at least two; name another view, or use source augment"
        )
    return found


def _one_of_each(pair: tuple[str, str], views: tuple[str, ...]) -> tuple[int, int]:
    for name in pair:
        if name not in views:
            members = ", ".join(named(name, views))
            raise InputError(f"views.pairing emd: {name!r} is a family; name one view in views.pairs, of {members}")
    return views.index(pair[0]), views.index(pair[1])
