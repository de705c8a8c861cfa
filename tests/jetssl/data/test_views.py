import numpy as np
import pytest

from jetssl.config.data import ViewsCard
from jetssl.data.views import among, choices
from resim.common.errors import InputError

VIEWS = ("nominal", "seed", "vincia")
FAMILY = ("nominal", "seed", "redetect/0", "redetect/1", "redetect/2")


def named(card, jets_per_row=2, views=VIEWS):
    return {(views[i], views[j]) for i, j in choices(views, card, jets_per_row).pairs}


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
    message = (
        r"pairs holds \[seed, seed\]: with source both .* no family 'seed' of at least two; .* use source augment"
    )
    with pytest.raises(InputError, match=message):
        choices(VIEWS, ViewsCard(pairs=[("seed", "seed")]), 2)


def both_orders(*pairs):
    return {*pairs, *((second, first) for first, second in pairs)}


def test_a_family_stands_for_its_members():
    of_nominal = named(ViewsCard(pairs=[("nominal", "redetect")]), views=FAMILY)
    assert of_nominal == both_orders(*(("nominal", f"redetect/{i}") for i in range(3)))
    within = named(ViewsCard(pairs=[("redetect", "redetect")]), views=FAMILY)
    assert within == {(f"redetect/{i}", f"redetect/{j}") for i in range(3) for j in range(3) if i != j}
    of_one = named(ViewsCard(pairs=[("redetect", "redetect/1")]), views=FAMILY)
    assert of_one == both_orders(("redetect/0", "redetect/1"), ("redetect/1", "redetect/2"))
    alone = named(ViewsCard(source="augment", pairs=[("redetect", "seed")]), 1, FAMILY)
    assert alone == {(name, name) for name in FAMILY[1:]}


def test_names_of_a_command_line_mean_views_and_families():
    assert among(("redetect", "nominal"), FAMILY) == ("nominal", *FAMILY[2:])
    assert among(("redetect/2",), FAMILY) == ("redetect/2",)
    assert among((), FAMILY) == FAMILY


def test_a_family_counts_as_one_view(rng):
    valid = np.ones((5, 6000), bool)
    valid[3, :3000] = False
    drawn = choices(FAMILY, ViewsCard(pairs=[("nominal", "any")]), 2).draw(valid, rng)
    assert valid[drawn, np.arange(6000)].all()
    assert ((drawn == 0).sum(0) == 1).all()
    other = drawn.sum(0)
    sigma = np.sqrt(6000 / 4)
    assert abs((other == 1).sum() - 3000) < 4 * sigma
    assert abs((other[:3000] == 2).sum() - 750) < 4 * sigma
    assert abs((other[3000:] == 2).sum() - 500) < 4 * sigma
    assert (drawn[0] == 0).mean() == pytest.approx(0.5, abs=4 * sigma / 6000)


def test_one_view_twice_is_as_likely_as_two_in_both_orders(rng):
    card = ViewsCard(source="live", live={"detector": "d.tcl"}, pairs=[("nominal", "nominal"), ("nominal", "seed")])
    first, second = choices(VIEWS, card, 2).draw(np.ones((3, 6000), bool), rng)
    assert abs((first == second).sum() - 3000) < 4 * np.sqrt(6000 / 4)


def test_without_families_the_drawn_views_are_those_of_earlier_versions():
    valid = np.random.default_rng(0).random((3, 50)) < 0.8
    valid[:2] = True
    chosen = choices(VIEWS, ViewsCard(), 2)
    ranks = np.where(chosen.possible(valid), np.random.default_rng(1).random((6, 50)), -1)
    assert (chosen.draw(valid, np.random.default_rng(1)) == chosen.pairs[ranks.argmax(0)].T).all()


def test_partners_are_of_one_view():
    card = ViewsCard(pairing="emd", pairs=[("nominal", "redetect/1")])
    assert choices(FAMILY, card, 2).pairs.tolist() == [[0, 3]]
    with pytest.raises(InputError, match=r"pairing emd: 'redetect' is a family; .* of redetect/0, redetect/1"):
        choices(FAMILY, ViewsCard(pairing="emd", pairs=[("nominal", "redetect")]), 2)


def test_names_that_are_read():
    assert ViewsCard(pairs=[("nominal", "seed"), ("seed", "vincia")]).names == ("nominal", "seed", "vincia")
    assert ViewsCard(pairs=[("nominal", "seed"), ("seed", "any")]).names == "any"


def test_draws_are_valid_and_uniform(rng):
    valid = np.array([[True] * 3000, [True] * 3000, [False] * 1000 + [True] * 2000])
    chosen = choices(VIEWS, ViewsCard(), 2)
    drawn = chosen.draw(valid, rng)
    assert (drawn[0] != drawn[1]).all()
    assert valid[drawn, np.arange(3000)].all()
    pairs, counts = np.unique(drawn[:, 1000:], axis=1, return_counts=True)
    assert pairs.shape[1] == 6
    assert counts.min() > 2000 / 6 * 0.8


def test_rows_that_can_be_used():
    valid = np.array([[1, 1, 0, 1], [1, 0, 1, 1], [0, 1, 1, 1]], bool)
    assert choices(VIEWS, ViewsCard(), 2).usable(valid).all()
    assert choices(VIEWS, ViewsCard(pairs=[("nominal", "vincia")]), 2).usable(valid).tolist() == [0, 1, 0, 1]
    only = choices(VIEWS, ViewsCard(source="augment", pairs=[("seed", "seed")]), 2)
    assert only.usable(valid).tolist() == [1, 0, 1, 1]
