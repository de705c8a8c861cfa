"""Anomalies are tested, never learned."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from jetssl.cli import jetssl
from jetssl.config.evaluation import AnomalyCard
from jetssl.evaluation.anomaly import FILES, background_rows, matched_weights, scores_of
from jetssl.evaluation.anomaly_scores import SCORERS
from jetssl.evaluation.results import read_curves, read_results
from tests.helpers.toys import CLASSES


def call(*words):
    return CliRunner().invoke(jetssl, ["anomaly", *map(str, words), "--quiet"])


@pytest.mark.parametrize("score", [*SCORERS, "supervised"])
def test_anomalies_of_the_training_split_change_no_score(task, table, rng, score):
    """Nor do jets of the validation split; the yardstick alone knows them."""
    inputs = rng.normal(size=(table.rows.n_rows, 4)).astype(np.float32)
    wanted = scores_of(task, inputs, score, 1)
    other = inputs.copy()
    learned, tested = background_rows(task), task.test
    assert (task.class_index[learned] == 1).all()
    others = np.setdiff1d(np.arange(len(inputs)), np.concatenate([learned, tested]))
    other[others] = rng.normal(3, 1, (len(others), 4))
    assert np.array_equal(scores_of(task, other, score, 1), wanted) == (score != "supervised")


def test_matched_jets_have_the_spectrum_of_background(task, table):
    weights = matched_weights(task, table)[task.test]
    is_signal, pt = task.is_signal[task.test], table.jets.pt[task.view][task.test]
    assert (weights[~is_signal] == 1).all()
    assert weights[is_signal].sum() == pytest.approx(is_signal.sum())
    inside = is_signal & (weights > 0)
    edges = np.quantile(pt[~is_signal], [0, 0.5, 1])
    found, _ = np.histogram(pt[inside], edges, weights=weights[inside])
    assert found / found.sum() == pytest.approx([0.5, 0.5], abs=0.12)


@pytest.mark.slow
def test_end_to_end_twice_the_same(finished_run, tmp_path):
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
