"""The tree of views, resolved."""

import hashlib
import json

import pytest

from resim.card.generation_card import GenerationCard
from resim.card.stages import DetectorSection
from resim.card.view_plan import DetectorPlan, ViewRecord, plan_from_records, plan_views
from resim.common.errors import InputError
from tests.helpers.chain import REPOSITORY


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
    assert "ParticleDecays:limitTau0 = on" in plan["again"].generator.lines


def with_pileup(tmp_path):
    pool = tmp_path / "pool.h5"
    pool.write_bytes(b"pool")
    card = REPOSITORY / "cards/delphes/cms_pileup.tcl"
    return DetectorSection.model_validate({"card": str(card), "pileup": {"mu": 50, "pool": str(pool)}})


def test_a_detector_is_told_by_the_content_of_its_files(tmp_path):
    stage = with_pileup(tmp_path)
    plan = DetectorPlan.of(stage)
    assert plan.identity == (plan.sha256, "resim", 50.0, hashlib.sha256(b"pool").hexdigest())
    stage.pileup.pool.write_bytes(b"other")
    assert DetectorPlan.of(stage) != plan
    stage.pileup.pool.unlink()
    with pytest.raises(InputError, match=r"pool\.h5: cannot be read .*restore the file"):
        DetectorPlan.of(stage)


@pytest.mark.parametrize("pileup", [True, False])
def test_a_detector_comes_back_from_the_record_of_a_pair_file(tmp_path, pileup):
    stage = with_pileup(tmp_path) if pileup else DetectorSection(card=REPOSITORY / "cards/delphes/cms.tcl")
    plan = DetectorPlan.of(stage)
    assert DetectorPlan.from_record(json.loads(json.dumps(plan.record()))) == plan


def test_views_come_back_from_their_records():
    shower = {"card": str(REPOSITORY / "cards/pythia/monash.cmnd")}
    views = {
        "root": {"shower": shower},
        "reco": {
            "from": "root",
            "freeze": "hadronization",
            "detector": {"card": str(REPOSITORY / "cards/delphes/cms.tcl")},
        },
        "rehadron": {"from": "reco", "freeze": "parton_shower"},
    }
    card = GenerationCard.model_validate({"sources": [{"lhe": "x", "rows": {25: "h"}}], "views": views})
    plan = plan_views(card)
    assert plan_from_records([view.record() for view in plan]) == plan
    assert [view.particles_owner for view in plan] == ["root", "root", "rehadron"]


def test_a_family_is_planned_member_by_member():
    views = {
        "root": {"shower": {"card": str(REPOSITORY / "cards/pythia/monash.cmnd")}},
        "again": {"from": "seed/1", "freeze": "parton_shower"},
        "seed": {"from": "root", "freeze": "hard_scatter", "repeat": 2},
    }
    card = GenerationCard.model_validate({"sources": [{"lhe": "x", "rows": {25: "h"}}], "views": views})
    plan = plan_views(card)
    assert [view.place for view in plan] == [
        ("root", None, None),
        ("seed/0", "root", "hard_scatter"),
        ("seed/1", "root", "hard_scatter"),
        ("again", "seed/1", "parton_shower"),
    ]
    assert [view.shower_owner for view in plan] == ["root", "seed/0", "seed/1", "seed/1"]
    assert plan_from_records([view.record() for view in plan]) == plan
    assert plan_views(GenerationCard.model_validate(card.resolved().model_dump(mode="json", by_alias=True))) == plan


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"generator": 9}, "generator: Input should be a valid string, not '9'"),
        ({"lines": 3}, "lines: Input should be a valid tuple, not '3'"),
        ({"detector": "some"}, "detector.literal.*: Input should be 'none', not 'some'"),
        ({"detector": {"card": "x.tcl"}}, "detector.*: "),
        ({"detector": {"card": "x.tcl", "sha256": "", "backend": "geant"}}, "backend: "),
        ({"slice_events": 0}, "slice_events: Input should be greater than 0, not '0'"),
    ],
)
def test_damaged_settings_in_a_file_are_one_line(change, message):
    settings = {"generator": "pythia8", "lines": [], "detector": "none"} | change
    with pytest.raises(InputError, match=rf"settings of view root: damaged \({message}.*; generate the file again"):
        plan_from_records([ViewRecord("root", None, None, settings)])


@pytest.mark.parametrize(
    ("parent", "freeze", "message"),
    [("roof", "hard_scatter", "its parent 'roof' is no view before it"), ("root", "hard", "damaged .freeze: ")],
)
def test_a_damaged_place_in_the_tree_is_one_line(parent, freeze, message):
    settings = {"generator": "pythia8", "lines": [], "detector": "none"}
    views = [ViewRecord("root", None, None, settings), ViewRecord("seed", parent, freeze, settings)]
    with pytest.raises(InputError, match=f"settings of view seed: {message}.*; generate the file again"):
        plan_from_records(views)
