"""The tree of views, resolved."""

from resim.card.generation_card import GenerationCard
from resim.card.view_plan import plan_views
from tests.helpers.chain import REPOSITORY


def test_settings_are_inherited_down_the_tree():
    views = {
        "root": {"shower": {"mu_r_isr": 2.0}},
        "child": {"from": "root", "freeze": "hard_scatter", "shower": {"mu_r_fsr": 0.5}},
        "grandchild": {"from": "child", "freeze": "hard_scatter"},
    }
    card = GenerationCard.model_validate({"sources": [{"lhe": "x", "rows": {25: "h"}}], "views": views})
    shower = card.shower_of("grandchild")
    assert (shower.mu_r_isr, shower.mu_r_fsr) == (2.0, 0.5)
    assert card.shower_of("root").mu_r_fsr == 1.0


def test_the_plan_puts_parents_first_and_finds_the_owner_of_the_shower():
    views = {
        "again": {"from": "rehadron", "freeze": "parton_shower"},
        "rehadron": {"from": "seed", "freeze": "parton_shower"},
        "seed": {"from": "root", "freeze": "hard_scatter"},
        "root": {},
    }
    shower = REPOSITORY / "cards/pythia/monash.cmnd"
    views["root"] = {"shower": {"card": str(shower)}}
    card = GenerationCard.model_validate({"sources": [{"lhe": "x", "rows": {25: "h"}}], "views": views})
    plan = {view.name: view for view in plan_views(card)}
    assert list(plan) == ["root", "seed", "rehadron", "again"]
    assert plan["again"].shower_owner == plan["rehadron"].shower_owner == "seed"
    assert "ParticleDecays:limitTau0 = on" in plan["again"].settings
