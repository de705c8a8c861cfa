import numpy as np
import pytest

from jetssl.evaluation.metrics import auc
from jetssl.evaluation.probe import classify, hand_made, probe
from jetssl.models.checkpoints import load_encoder


def test_separable_and_hopeless_toys(task, table, rng):
    def measure(inputs):
        scores = classify(inputs.astype(np.float32), task.is_signal, task.train, task.test, 0.1)
        truth = task.is_signal[task.test]
        return auc(scores[truth], scores[~truth])

    noise = rng.normal(size=(table.rows.n_rows, 3))
    separable = noise + 20 * task.is_signal[:, None]
    assert measure(separable) > 0.999
    assert measure(noise) == pytest.approx(0.5, abs=0.2)


def test_probe_records(finished_run, table, task):
    outcome = probe(load_encoder(finished_run.best), table, task, [20, None], seed=1)
    metrics = {(r.baseline, r.all_labels, r.metric): r for r in outcome.results}
    assert len(metrics) == len(outcome.results) == 2 * (3 * 4 + 2)
    for many in (False, True):
        difference = metrics[None, many, "auc_minus_random"]
        values = [metrics[baseline, many, "auc"] for baseline in (None, "random")]
        assert difference.value == pytest.approx(values[0].value - values[1].value)
        assert all(value.error >= 0 and value.n_draws == 10 for value in values)
    assert metrics[None, True, "auc"].n_labels == len(task.train)
    assert len(outcome.curves) == 6
    again = probe(load_encoder(finished_run.best), table, task, [20, None], seed=1)
    assert again.results == outcome.results


def test_hand_made_features(table):
    inputs = hand_made(table, 0)
    row = int(np.flatnonzero(table.rows.valid[0])[0])
    assert inputs[row].tolist() == pytest.approx(
        [table.jets.softdrop_mass[0, row], table.jets.mass[0, row], table.counts[0, row], table.jets.pt[0, row]]
    )
