import pytest
import yaml

from jetssl.config.study import load_study_card
from jetssl.study.plan import Plan
from resim.common.errors import InputError
from tests.helpers.chain import REPOSITORY

STUDIES = sorted((REPOSITORY / "cards/studies").glob("*.yaml"))
CARD = {
    "title": "toys",
    "samples": {"jets": {"make": {"generate": "cards/generate/demo.yaml"}}},
    "trainings": {"one": {"card": "cards/train/demo.yaml", "sample": ["jets"]}},
    "questions": {
        "tuned": {"finetune": {"labels": [20]}, "runs": ["one"]},
        "robust": {"evaluate": {}, "runs": ["tuned/one/full_20", "one"]},
    },
}


@pytest.fixture
def write(tmp_path):
    """Write the card with one section changed."""

    def write(section=None, value=None):
        raw = CARD if section is None else CARD | {section: value}
        path = REPOSITORY / "cards/studies/x.yaml"  # cards that it names are found from here
        text = yaml.safe_dump(raw, sort_keys=False).replace("cards/", f"{path.parents[1]}/")
        (tmp_path / "study.yaml").write_text(text)
        return tmp_path / "study.yaml"

    return write


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_shipped_cards_load_with_all_their_trainings(path, tmp_path):
    """Every training has a card that resolves once its samples are there, and every claim a question."""
    card = load_study_card(path)
    plan = Plan(card, tmp_path)
    for name, sample in card.samples.items():
        for file in plan.files([name]) if sample.make else ():
            file.parent.mkdir(parents=True)
            file.touch()
    titles = [plan.training_card(name, 1).training.seed for name in card.trainings]
    assert titles == [1] * len(card.trainings)
    assert len(list(plan.steps)) > len(card.trainings)
    assert {claim.question for claim in card.claims} <= plan.questions.keys()


def test_files_take_the_place_of_what_would_be_made(write, tmp_path):
    (tmp_path / "mine.h5").touch()
    card = load_study_card(write(), [f"samples.jets={{files: [{tmp_path / 'mine.h5'}]}}"])
    assert card.samples["jets"].files == (tmp_path / "mine.h5",)
    assert card.samples["jets"].make is None


@pytest.mark.parametrize(
    ("section", "value", "message"),
    [
        ("samples", {"jets": {}}, "a sample is either `files` or `make`"),
        ("trainings", {"one": {"card": "x", "sample": ["jet"]}}, "no sample 'jet'; there are jets"),
        ("questions", {"q": {"probe": {}, "runs": ["two"]}}, "no training 'two'; there are one"),
        ("questions", {"q": {"runs": ["one"]}}, "asks nothing; want one of probe, finetune"),
        ("questions", {"q": {"probe": {}, "anomaly": {}, "runs": ["one"]}}, "asks probe, anomaly; want one"),
        ("questions", {"q": {"probe": {}}}, "probe: of which `runs`"),
        ("questions", {"q": {"wsl": {"card": "x"}, "runs": ["one"]}}, "brings its own trainings; leave out `runs`"),
        ("questions", {"q": {"evaluate": {}, "runs": ["tuned/one/full_20"]}}, "no earlier question 'tuned'"),
        ("claims", [{"says": "x", "question": "q", "row": "one"}], "no question 'q'; there are tuned, robust"),
        (
            "questions",
            {"q": {"probe": {}, "runs": ["one"], "talk": {"title": "t", "header": ["a", "b"], "rows": [["x"]]}}},
            "row 'x' has 1 cells, the header has 2",
        ),
    ],
)
def test_what_does_not_fit_together_is_one_line(write, section, value, message):
    with pytest.raises(InputError, match=message):
        load_study_card(write(section, value))
