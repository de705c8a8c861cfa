"""Folders of a study follow what goes into them."""

from pathlib import Path

import pytest

from jetssl.config.card import card_from, with_overrides
from jetssl.config.evaluation import ProbeCard
from jetssl.config.study import load_study_card
from jetssl.study.plan import Plan, options_of
from resim.common.cards import read_yaml
from tests.helpers.chain import REPOSITORY

SHIPPED = REPOSITORY / "cards/studies/rs3l_small.yaml"


def folders(*overrides):
    return {step.title: step.folder for step in Plan(load_study_card(SHIPPED, overrides), Path("study")).steps}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_an_option_that_a_later_version_adds_makes_nothing_anew():
    class Later(ProbeCard):
        new: int = 3

    assert options_of(Later(labels=(100,))) == options_of(ProbeCard(labels=(100,))) != options_of(ProbeCard())
    assert options_of(Later(new=4)) == {"new": 4}


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


def test_another_number_of_trainings_is_another_question():
    """Its answers are means over all of them."""
    before, after = folders(), folders("trainings.supervised.seeds=3")
    moved = {title for title in before.keys() & after.keys() if before[title] != after[title]}
    assert moved == {"other_simulator: all runs"}
    assert after.keys() - before.keys() == {"training supervised, 3 of 3"} | {
        f"training supervised, {n} of 3" for n in (1, 2)
    }


@pytest.fixture
def sample(tmp_path):
    """A card whose sample is made with the files that it names beside it."""
    (tmp_path / "cards").symlink_to(REPOSITORY / "cards")
    pythia = tmp_path / "tune.cmnd"
    pythia.write_text("Tune:pp = 14\n")
    (tmp_path / "generate.yaml").write_text(
        (REPOSITORY / "cards/generate/hbb_j.yaml").read_text().replace("cards/pythia/monash.cmnd", str(pythia))
    )
    text = (
        "title: t\nsamples: {jets: {make: {generate: GENERATE}}}\ntrainings: {one: {card: TRAIN, sample: [jets]}}\n"
    )
    text += "questions: {q: {probe: {}, runs: [one]}}\n"
    text = text.replace("GENERATE", str(tmp_path / "generate.yaml"))
    (tmp_path / "study.yaml").write_text(text.replace("TRAIN", str(REPOSITORY / "cards/train/demo.yaml")))

    def folder():
        (first, *_) = Plan(load_study_card(tmp_path / "study.yaml"), Path("study")).steps
        return first.folder

    return pythia, folder


def test_a_made_sample_follows_from_the_files_that_its_cards_name(sample):
    pythia, folder = sample
    before = folder()
    assert folder() == before
    pythia.write_text("Tune:pp = 21\n")
    assert folder() != before


def test_a_training_with_live_views_follows_from_its_detector(tmp_path):
    detector = tmp_path / "detector.tcl"
    detector.write_text((REPOSITORY / "cards/delphes/ideal.tcl").read_text())
    live = f"trainings.supervised.overrides=['views={{source: live, live: {{detector: {detector}}}}}']"
    before = folders(live)
    assert folders(live) == before
    detector.write_text(detector.read_text() + "set x 1\n")
    after = folders(live)
    moved = {title.split(":")[0].split(",")[0] for title in before if before[title] != after[title]}
    assert moved == {"training supervised", "other_simulator"}


def test_who_makes_the_views_of_weak_supervision_does_not_matter(tmp_path):
    weak = tmp_path / "weak.yaml"
    study = tmp_path / "study.yaml"
    study.write_text("title: t\nquestions: {poster: {wsl: {card: weak.yaml}}}\n")
    text = (REPOSITORY / "cards/wsl/vicreg_small.yaml").read_text()

    def folder(change=""):
        weak.write_text(text.replace("pairs:\n", f"pairs:\n{change}", 1))
        (step,) = Plan(load_study_card(study), Path("study")).steps
        return step.folder

    assert folder("  scheduler: tcp://head:8786\n") == folder()
    assert folder("  seed: 7\n") != folder()


@pytest.mark.parametrize("path", sorted((REPOSITORY / "cards/studies").glob("*.yaml")), ids=lambda path: path.stem)
def test_no_training_of_a_shipped_study_is_another_one_by_another_name(path):
    study = load_study_card(path)
    resolved = [
        card_from(with_overrides(read_yaml(one.card), [*study.overrides, *one.overrides], one.card), one.card)
        for one in study.trainings.values()
    ]
    assert len({card.model_dump_json(exclude={"data": {"files"}}) for card in resolved}) == len(resolved)
