"""Folders of a study follow what goes into them."""

from pathlib import Path

import pytest

from jetssl.config.study import load_study_card
from jetssl.study.plan import Plan
from tests.helpers.chain import REPOSITORY

SHIPPED = REPOSITORY / "cards/studies/rs3l_small.yaml"


def folders(*overrides):
    return {step.title: step.folder for step in Plan(load_study_card(SHIPPED, overrides), Path("study")).steps}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_same_card_has_the_same_folders():
    assert folders() == folders()


@pytest.mark.parametrize(
    ("override", "changed"),
    [
        ("title=other", set()),
        ("claims=[]", set()),
        ("questions.space.geometry={rows: 50}", {"space"}),
        ("questions.in_domain.metric=[auc]", set()),
        ("trainings.supervised.overrides=[]", {"training supervised", "other_simulator"}),
        (
            "samples.w_bosons={make: {generate: cards/generate/wqq_z.yaml, n_events: 7}}",
            {"sample w_bosons", "w_bosons"},
        ),
    ],
)
def test_a_change_moves_what_depends_on_it_and_nothing_else(override, changed):
    before, after = folders(), folders(override)
    assert before.keys() == after.keys()
    moved = {title.split(":")[0].split(",")[0] for title in before if before[title] != after[title]}
    assert moved == changed


def test_samples_come_before_what_is_made_of_them():
    kinds = [title.split()[0] for title in folders()]
    assert kinds[:2] == ["sample", "sample"]
    assert kinds.index("training") == 2
    assert kinds.count("training") == 4
