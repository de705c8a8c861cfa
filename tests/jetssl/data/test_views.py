import numpy as np
import pytest
from pydantic import ValidationError

from jetssl.config.data import ViewsCard
from jetssl.data.views import choices, draw_views, usable_rows

VIEWS = ("nominal", "seed", "vincia")


def named(card, jets_per_row=2):
    return {(VIEWS[i], VIEWS[j]) for i, j in choices(VIEWS, card, jets_per_row)}


@pytest.mark.parametrize(
    ("pairs", "unordered"),
    [
        ([("any", "any")], {("nominal", "seed"), ("nominal", "vincia"), ("seed", "vincia")}),
        ([("nominal", "any")], {("nominal", "seed"), ("nominal", "vincia")}),
        ([("any", "nominal")], {("nominal", "seed"), ("nominal", "vincia")}),
        ([("vincia", "seed")], {("seed", "vincia")}),
        ([("vincia", "seed"), ("nominal", "seed")], {("seed", "vincia"), ("nominal", "seed")}),
        ([("vincia", "seed"), ("seed", "vincia")], {("seed", "vincia")}),
    ],
)
def test_pairs_in_both_orders(pairs, unordered):
    assert named(ViewsCard(pairs=pairs)) == unordered | {(j, i) for i, j in unordered}


def test_one_view_where_one_is_enough():
    assert named(ViewsCard(source="augment", pairs=[("seed", "seed")])) == {("seed", "seed")}
    assert named(ViewsCard(source="augment")) == {(name, name) for name in VIEWS}
    assert named(ViewsCard(pairs=[("nominal", "seed")]), jets_per_row=1) == {("nominal",) * 2, ("seed",) * 2}


def test_a_view_is_no_pair_with_itself():
    with pytest.raises(ValidationError, match=r"pairs holds \[seed, seed\]: with source both .* use source augment"):
        ViewsCard(pairs=[("seed", "seed")])


def test_names_that_are_read():
    assert ViewsCard(pairs=[("nominal", "seed"), ("seed", "vincia")]).names == ("nominal", "seed", "vincia")
    assert ViewsCard(pairs=[("nominal", "seed"), ("seed", "any")]).names == "any"


def test_draws_are_valid_and_uniform(rng):
    valid = np.array([[True] * 3000, [True] * 3000, [False] * 1000 + [True] * 2000])
    chosen = choices(VIEWS, ViewsCard(), 2)
    drawn = draw_views(valid, chosen, rng)
    assert (drawn[0] != drawn[1]).all()
    assert valid[drawn, np.arange(3000)].all()
    pairs, counts = np.unique(drawn[:, 1000:], axis=1, return_counts=True)
    assert pairs.shape[1] == 6
    assert counts.min() > 2000 / 6 * 0.8


def test_rows_that_can_be_used():
    valid = np.array([[1, 1, 0, 1], [1, 0, 1, 1], [0, 1, 1, 1]], bool)
    assert usable_rows(valid, choices(VIEWS, ViewsCard(), 2)).all()
    assert usable_rows(valid, choices(VIEWS, ViewsCard(pairs=[("nominal", "vincia")]), 2)).tolist() == [0, 1, 0, 1]
    only = choices(VIEWS, ViewsCard(source="augment", pairs=[("seed", "seed")]), 2)
    assert usable_rows(valid, only).tolist() == [1, 0, 1, 1]
