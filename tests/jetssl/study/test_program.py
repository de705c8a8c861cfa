"""A study end to end: every step once, answers that do not depend on how often it was interrupted."""

import pytest
from click.testing import CliRunner

from jetssl.cli import jetssl
from jetssl.evaluation.results import read_results
from jetssl.report.study import PAGE_FILE, TABLES_FILE
from jetssl.study import steps
from jetssl.study.program import CLAIMS_FILE, RESULTS_FILE, StudyRequest, run_study
from resim.common.errors import InputError

pytestmark = pytest.mark.slow


def test_every_question_has_its_records(study):
    _, folder, outcome = study
    results = read_results(folder / RESULTS_FILE)
    assert {result.run.split("/")[0] for result in results} == {"frozen", "tuned", "robust", "space"}
    assert {"pairs", "pairs:random"} <= set(outcome.tables["frozen"].cells)
    assert {"pairs:finetune_frozen", "pairs:finetune_full"} == set(outcome.tables["tuned"].cells)
    robust = outcome.tables["robust"].cells
    assert len(robust) == 2
    assert outcome.tables["frozen"].cells["pairs"].popitem()[1].n_seeds == 2


def test_a_second_call_makes_nothing_again(study, monkeypatch):
    card, folder, outcome = study
    monkeypatch.setattr(steps, "_make", None)
    again = run_study(StudyRequest(card, folder), quiet=True)
    assert again.steps == outcome.steps
    assert again.decisions == outcome.decisions


def test_a_change_makes_anew_what_depends_on_it(study, monkeypatch):
    card, folder, _ = study
    made = []

    def stop(step):
        made.append(step.title)
        raise KeyboardInterrupt

    monkeypatch.setattr(steps, "_make", stop)
    with pytest.raises(KeyboardInterrupt):
        run_study(StudyRequest(card, folder, ["questions.space.geometry={rows: 30}"], jobs=1), quiet=True)
    with pytest.raises(KeyboardInterrupt):
        run_study(
            StudyRequest(card, folder, ["trainings.labels.overrides=[objective.name=vicreg]"], jobs=1), quiet=True
        )
    assert made == ["space: pairs_0", "training labels, 1 of 1"]


def test_command(study):
    """It finds everything made; prints the tables and writes page and Markdown."""
    card, folder, _ = study
    done = CliRunner().invoke(jetssl, ["study", str(card), "-o", str(folder), "--quiet"])
    assert done.exit_code == 0, done.output
    assert "the encoder beats chance" in done.output
    page = (folder / PAGE_FILE).read_text()
    assert page.index("Which claims hold here") < page.rindex("How to repeat")
    assert "The talk: a table" in page
    assert "http" not in page.split("</style>")[1].split("data:image")[0]
    tables = (folder / TABLES_FILE).read_text()
    assert "| the encoder beats chance | holds |" in tables
    assert (folder / CLAIMS_FILE).is_file()


def test_a_folder_of_something_else_is_refused(study, tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(InputError, match="holds no study"):
        run_study(StudyRequest(study[0], tmp_path), quiet=True)


def test_a_class_that_no_sample_has_is_said_before_any_training(study, tmp_path):
    card, _, _ = study
    wanted = "questions.frozen.probe={classes: 'two_prong+three_prong,one_prong'}"
    with pytest.raises(
        InputError, match=r"questions\.frozen: no class 'three_prong' in its samples, which have one_prong"
    ):
        run_study(StudyRequest(card, tmp_path / "made", [wanted]), quiet=True)
    assert not (tmp_path / "made/trainings").exists()
