"""Anomalies are tested, never learned."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from jetssl.cli import jetssl
from jetssl.config.evaluation import AnomalyCard
from jetssl.evaluation.anomaly import FILES, background_rows, matched_weights, scores_of
from jetssl.evaluation.anomaly_scores import SCORERS
from jetssl.evaluation.results import read_curves, read_results
from jetssl.evaluation.task import Task
from resim.common.errors import InputError
from tests.helpers.toys import CLASSES


def call(*words):
    return CliRunner().invoke(jetssl, ["anomaly", *map(str, words), "--quiet"])


@pytest.mark.parametrize("score", [*SCORERS, "supervised"])
def test_anomalies_of_the_training_split_change_no_score(task, table, rng, score):
    """Nor do jets of the validation split; the yardstick alone knows them."""
    inputs = rng.normal(size=(table.rows.n_rows, 4)).astype(np.float32)
    (wanted,) = scores_of(task, [task], inputs, score, 1)
    other = inputs.copy()
    learned, tested = background_rows(task), task.test
    assert (task.class_index[learned] == 1).all()
    others = np.setdiff1d(np.arange(len(inputs)), np.concatenate([learned, tested]))
    other[others] = rng.normal(3, 1, (len(others), 4))
    assert np.array_equal(scores_of(task, [task], other, score, 1)[0], wanted) == (score != "supervised")


def kinematics(pt, eta):
    """A table of one view whose rows are jets with these numbers."""
    jets = SimpleNamespace(pt=np.array([pt], np.float32), eta=np.array([eta], np.float32))
    return SimpleNamespace(jets=jets)


def task_of(is_signal, weights):
    rows = np.arange(len(is_signal))
    index = np.where(is_signal, 0, 1)
    return Task((("dark",), ("qcd",)), 0, rows, rows, rows, index, rows.astype(np.uint64), weights)


def test_matched_jets_have_the_spectrum_of_background(rng):
    """In pT and in |eta|, whose distributions differ; weights of events stay in."""
    is_signal = np.repeat([True, False], [6000, 3000])
    pt = np.where(is_signal, rng.uniform(300, 900, 9000), 300 + rng.exponential(100, 9000))
    eta = np.where(is_signal, rng.normal(0, 1, 9000), rng.uniform(-2.5, 2.5, 9000))
    own = rng.uniform(0.5, 1.5, 9000)
    weights = matched_weights(task_of(is_signal, own), kinematics(pt, eta))
    assert np.array_equal(weights[~is_signal], own[~is_signal])
    assert weights[is_signal].sum() == pytest.approx(own[is_signal].sum())
    for values in (pt, np.abs(eta)):
        edges = np.quantile(values[~is_signal], [0.25, 0.5, 0.75])
        found, wanted = (
            [np.average(values[kind] > edge, weights=weights[kind]) for edge in edges]
            for kind in (is_signal, ~is_signal)
        )
        assert found == pytest.approx(wanted, abs=0.05)


def test_jets_that_cannot_be_matched_are_one_line(rng):
    few = np.repeat([True, False], [30, 79])
    with pytest.raises(InputError, match="79 test jets of background, want 80"):
        matched_weights(task_of(few, np.ones(109)), kinematics(np.ones(109), np.ones(109)))
    kinds = np.repeat([True, False], [30, 100])
    pt = np.where(kinds, 900, rng.uniform(300, 400, 130))
    with pytest.raises(InputError, match="no jet of dark has the pT of a background jet"):
        matched_weights(task_of(kinds, np.ones(130)), kinematics(pt, rng.normal(size=130)))


@pytest.mark.slow
def test_end_to_end_twice_the_same(finished_run, tmp_path, caplog):
    words = [finished_run.path, "-o", tmp_path / "out", *CLASSES, "--draws", "2", "--score", "mahalanobis"]
    words += ["--score", "supervised", "--baseline", "random", "--baseline", "features"]
    one = call(*words, "--json")
    assert one.exit_code == 0, one.exception
    content = (tmp_path / "out/results.json").read_text()
    assert json.loads(one.stdout) == json.loads(content)
    results = read_results(tmp_path / "out/results.json")
    assert {result.method for result in results} == {"anomaly_mahalanobis", "anomaly_supervised"}
    assert {result.baseline for result in results} == {None, "random", "features"}
    metrics = {result.metric for result in results}
    assert {"auc", "rejection_at_0.5", "auc_minus_random"} < metrics
    assert "expected_calibration_error" not in metrics
    assert len(read_curves(tmp_path / "out/roc.json")) == 6
    assert "--score mahalanobis" in results[0].command
    known = next(r for r in results if r.method == "anomaly_supervised" and r.metric == "auc" and not r.baseline)
    unknown = next(r for r in results if r.method == "anomaly_mahalanobis" and r.metric == "auc" and not r.baseline)
    assert known.value > unknown.value
    assert known.n_labels > unknown.n_labels
    assert "was trained on jets of two_prong" in caplog.text
    assert "holds results already" in str(call(*words).exception)
    again = call(*words, "--force")
    assert "Anomalies: two_prong among one_prong" in again.output
    assert (tmp_path / "out/results.json").read_text() == content
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(FILES)


def test_unknown_classes_are_refused(finished_run, tmp_path):
    found = call(finished_run.path, "-o", tmp_path / "out", "--signal", "three_prong", "--background", "one_prong")
    assert "three_prong" in str(found.exception)


def test_defaults_are_those_of_the_card():
    assert AnomalyCard().words[:2] == ["--score", "norm"]
