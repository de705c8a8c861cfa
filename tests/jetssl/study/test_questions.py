"""Which calls answer a question, and of which runs."""

from pathlib import Path

import pytest

from jetssl.config.study import QuestionCard
from jetssl.evaluation.results import write_records
from jetssl.study.questions import Question
from resim.common.errors import InputError
from tests.helpers.records import record

RUNS = {"a": [Path("runs/a_0"), Path("runs/a_1")], "b": [Path("runs/b_0")]}


@pytest.mark.parametrize("command", ["probe", "finetune", "anomaly", "geometry"])
def test_a_call_for_each_run(tmp_path, command):
    card = QuestionCard.model_validate({command: {}, "runs": ["a", "b"]})
    parts = list(Question("q", tmp_path, RUNS, ()).parts(card))
    assert [part.runs[0].name for part in parts] == ["a_0", "a_1", "b_0"]
    assert [part.output for part in parts] == [tmp_path / "a_0", tmp_path / "a_1", tmp_path / "b_0"]
    assert not any(part.done() for part in parts)


def test_classifiers_are_judged_in_one_call(tmp_path):
    """Under names that say where they come from, with links to all their trainings."""
    for place in ("tuned/a_0/full_20_0", "tuned/a_0/full_20_1", "runs/b_0"):
        (tmp_path / place).mkdir(parents=True)
    runs = {"tuned/a/full_20": [tmp_path / f"tuned/a_0/full_20_{k}" for k in range(2)], "b": [tmp_path / "runs/b_0"]}
    card = QuestionCard.model_validate({"evaluate": {}, "runs": list(runs)})
    question = Question("q", tmp_path / "q", runs, ())
    (part,) = question.parts(card)
    assert [path.name for path in part.runs] == ["tuned.a.full_20", "b"]
    links = tmp_path / "q/runs"
    assert (links / "tuned.a.full_20_1").resolve() == (tmp_path / "tuned/a_0/full_20_1").resolve()
    assert (links / "b_0").resolve() == (tmp_path / "runs/b_0").resolve()
    list(question.parts(card))  # links that are there stay


def test_files_go_before_those_of_the_training(tmp_path):
    card = QuestionCard.model_validate({"probe": {}, "runs": ["a"]})
    (first, _) = Question("q", tmp_path, {"a": RUNS["a"]}, (Path("w.h5"), Path("qcd.h5"))).parts(card)
    assert first.section.data == (Path("w.h5"), Path("qcd.h5"))


def test_weak_supervision_is_one_call_whose_rows_are_ways_to_learn(tmp_path):
    card = QuestionCard.model_validate({"wsl": {"card": "weak.yaml"}, "metric": ["auc*"]})
    question = Question("q", tmp_path, {}, ())
    (part,) = question.parts(card)
    assert part.alone
    assert not part.done()
    records = [
        record("auc", 0.9, run="oracle", view="data"),
        record("auc_difference", 0.01, run="oracle", view="data"),
        record("auc", 0.8, run="plain", noise="0.1"),
        record("auc", 0.7, run="plain", noise="0.2"),
        record("balanced_accuracy", 0.7, run="plain", noise="0.2"),
    ]
    (tmp_path / "all").mkdir()
    write_records(tmp_path / "all" / "results.json", records)
    assert part.done()
    table = question.table(card)
    assert list(table.cells) == ["oracle", "plain (0.1)", "plain (0.2)"]
    assert [len(row) for row in table.cells.values()] == [2, 1, 1]


def test_a_metric_that_no_record_has_is_said(tmp_path):
    card = QuestionCard.model_validate({"wsl": {"card": "weak.yaml"}, "metric": ["aux"]})
    (tmp_path / "all").mkdir()
    write_records(tmp_path / "all" / "results.json", [record("auc", 0.9, run="oracle")])
    with pytest.raises(InputError, match=r"metric \['aux'\]: no such figure; there are auc"):
        Question("q", tmp_path, {}, ()).table(card)


def test_a_reference_that_is_no_row_is_said(tmp_path):
    card = QuestionCard.model_validate({"evaluate": {}, "runs": ["a"], "reference": "b"})
    (tmp_path / "all").mkdir()
    write_records(tmp_path / "all" / "results.json", [record("auc", 0.9, run="a")])
    with pytest.raises(InputError, match="reference 'b' is no row of the table; rows are a"):
        Question("q", tmp_path, {}, ()).table(card)


def test_ratios_are_to_the_reference_of_the_table(tmp_path):
    """Else the first classifier has none, and a claim about it is no figure."""
    card = QuestionCard.model_validate({"evaluate": {}, "runs": ["a", "b"], "reference": "b"})
    (part,) = Question("q", tmp_path, RUNS, ()).parts(card)
    assert part.section.reference == "b"
    other = QuestionCard.model_validate({"evaluate": {"reference": "a"}, "runs": ["a", "b"], "reference": "b"})
    assert other.section.reference == "a"


def test_weak_supervision_takes_no_sample():
    with pytest.raises(ValueError, match="leave out `sample`"):
        QuestionCard.model_validate({"wsl": {"card": "weak.yaml"}, "sample": ["jets"]})
