"""What views inherit from their ancestors, and trees that are none."""

import pytest

from resim.card.stages import DetectorSection, ShowerSection
from resim.card.view_tree import Stages, View, check, resolve, with_files
from tests.helpers.chain import REPOSITORY


def views(**sections):
    return {name: View.model_validate(section) for name, section in sections.items()}


def below(parent, freeze="hard_scatter", **sections):
    return {"from": parent, "freeze": freeze} | sections


def test_settings_are_inherited_down_the_tree():
    tree = views(
        root={"shower": {"mu_r_isr": 2.0}},
        child=below("root", shower={"mu_r_fsr": 0.5}),
        grandchild=below("child"),
        other=below("root", shower={"mu_r_isr": 1.0}),
    )
    showers = {name: stages.shower for name, stages in resolve(tree, "none").items()}
    assert (showers["grandchild"].mu_r_isr, showers["grandchild"].mu_r_fsr) == (2.0, 0.5)
    assert showers["root"].mu_r_fsr == 1.0
    assert showers["other"].mu_r_isr == 1.0  # said so, though it is the default


def test_another_generator_inherits_nothing_and_its_children_inherit_from_it():
    tree = views(
        root={"shower": {"card": "a.cmnd", "mu_r_fsr": 2.0}},
        herwig=below("root", shower={"generator": "herwig7", "card": "a.in"}),
        seed=below("herwig"),
        back=below("seed", shower={"generator": "pythia8"}),
    )
    found = resolve(tree, "none")
    assert found["seed"].shower == found["herwig"].shower == ShowerSection(generator="herwig7", card="a.in")
    assert (found["back"].shower.card, found["back"].shower.mu_r_fsr) == (None, 1.0)


def test_the_detector_is_the_cards_until_a_view_says_otherwise():
    tree = views(
        root={},
        delphes=below("root", "hadronization", detector={"backend": "delphes"}),
        none=below("delphes", "hadronization", detector="none"),
        again=below("none", "hadronization", detector={"card": "b.tcl"}),
    )
    found = {name: stages.detector for name, stages in resolve(tree, DetectorSection(card="a.tcl")).items()}
    assert found == {
        "root": DetectorSection(card="a.tcl"),
        "delphes": DetectorSection(card="a.tcl", backend="delphes"),
        "none": "none",
        "again": DetectorSection(card="b.tcl"),
    }


def test_parents_come_first_and_the_order_of_the_card_counts_otherwise():
    tree = views(c=below("b"), b=below("a"), a={}, d=below("a"))
    assert list(resolve(tree, "none")) == ["a", "d", "b", "c"]


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (views(a={}, b={}), r"exactly one root .*found \['a', 'b'\]"),
        (views(a=below("b"), b=below("a")), r"exactly one root .*found \[\]"),
        (views(a={}, b=below("x")), r"views\.b: parent 'x' is none of \['a', 'b'\]"),
        (views(a={}, b=below("c"), c=below("d"), d=below("b")), r"views\.b: the tree has a loop through 'c'"),
        (views(a={}, b=below("a", repeat=2), c=below("b")), r"views\.c: parent 'b' is a family of 2 .*one, as b/0"),
        (views(a={}, b=below("a", repeat=2), c=below("b/2")), r"views\.c: parent 'b/2' .* 'b' makes b/0 \.\.\. b/1"),
        (views(a={}, b=below("a/0")), r"views\.b: parent 'a/0' does not exist, 'a' makes a"),
    ],
)
def test_what_is_no_tree(tree, message):
    with pytest.raises(ValueError, match=message):
        resolve(tree, "none")


@pytest.mark.parametrize(
    ("view", "own", "message"),
    [
        ({}, Stages(ShowerSection(model="vincia", mu_r_fsr=0.5), "none"), "are those of the simple shower"),
        (
            below("root", "parton_shower"),
            Stages(ShowerSection(generator="herwig7"), "none"),
            "parton level of herwig7 cannot be frozen",
        ),
        ({}, Stages(ShowerSection(), DetectorSection()), "its detector has no card"),
        (below("root", "hadronization"), Stages(ShowerSection(), "none"), "it would equal its parent"),
    ],
)
def test_stages_that_cannot_be_run(view, own, message):
    with pytest.raises(ValueError, match=rf"views\.x: .*{message}"):
        check("x", View.model_validate(view), own, Stages(ShowerSection(), "none"))
    check("x", View(), Stages(ShowerSection(), "none"), None)


def test_shipped_settings_stand_in_where_no_ancestor_names_any():
    card = REPOSITORY / "cards/generate/demo.yaml"
    monash = REPOSITORY / "cards/pythia/monash.cmnd"
    found = with_files(View.model_validate({"shower": {"mu_r_fsr": 0.5}}), ShowerSection(mu_r_fsr=0.5), card)
    assert (found.shower.card.resolve(), found.shower.mu_r_fsr) == (monash, 0.5)
    named = ShowerSection(card=monash)
    assert with_files(View.model_validate(below("a")), named, card).shower is None
    assert with_files(View.model_validate(below("a", "parton_shower")), ShowerSection(), card).shower is None
    herwig = View.model_validate(below("a", shower={"generator": "herwig7"}))
    assert with_files(herwig, ShowerSection(generator="herwig7"), card).shower.card.name == "default.in"
