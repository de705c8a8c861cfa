import numpy as np
import pytest

from jetssl.common.roc import auc
from jetssl.data.jets import gather_jets
from jetssl.evaluation.baselines import INPUTS
from jetssl.evaluation.probe import CLASSIFIERS, probe
from jetssl.evaluation.results import Origin
from jetssl.models.checkpoints import load_encoder


@pytest.mark.parametrize("method", ["linear_probe", "knn"])
def test_separable_and_hopeless_toys(method, task, table, rng):
    def measure(inputs):
        scores = CLASSIFIERS[method](inputs.astype(np.float32), task, task.train, task.validation)
        truth = task.is_signal[task.test]
        return auc(scores[truth], scores[~truth])

    noise = rng.normal(size=(table.rows.n_rows, 3))
    separable = noise + 20 * task.is_signal[:, None]
    assert measure(separable) > 0.999
    assert measure(noise) == pytest.approx(0.5, abs=0.2)


def test_probe_records(finished_run, table, task):
    outcome = probe(load_encoder(finished_run.best), table, task, [20, None], Origin(1, "jetssl probe run"))
    metrics = {(r.baseline, r.all_labels, r.metric): r for r in outcome.results}
    assert len(metrics) == len(outcome.results) == 2 * (3 * 5 + 2)
    for many in (False, True):
        difference = metrics[None, many, "auc_minus_random"]
        values = [metrics[baseline, many, "auc"] for baseline in (None, "random")]
        assert difference.value == pytest.approx(values[0].value - values[1].value)
        assert all(value.error >= 0 and value.n_draws == 10 for value in values)
    assert metrics[None, True, "auc"].n_labels == len(task.train)
    assert len(outcome.curves) == 6
    again = probe(load_encoder(finished_run.best), table, task, [20, None], Origin(1, "jetssl probe run"))
    assert again.results == outcome.results


def test_hand_made_features(table):
    inputs = INPUTS["features"](table, 0)
    row = int(np.flatnonzero(table.rows.valid[0])[0])
    assert inputs[row].tolist() == pytest.approx(
        [table.jets.softdrop_mass[0, row], table.jets.mass[0, row], table.counts[0, row], table.jets.pt[0, row]]
    )


def test_wider_inputs_of_one_jet(table):
    row = int(np.flatnonzero(table.rows.valid[0])[3])
    jets = gather_jets(table, np.zeros(1, int), np.array([row]))
    share = jets.pt / jets.jet_pt
    image = INPUTS["images"](table, 0)[row].reshape(40, 40)
    inside = (abs(jets.d_eta) < 0.8) & (abs(jets.d_phi) < 0.8)
    assert image.sum() == pytest.approx(share[inside].sum(), rel=1e-5)
    eta, phi = (int((values[0] + 0.8) // 0.04) for values in (jets.d_eta, jets.d_phi))
    assert image[eta, phi] >= share[0] * 0.999
    leading = INPUTS["constituents"](table, 0)[row].reshape(20, 3)
    shown = min(len(share), 20)
    assert leading[:shown, 0] == pytest.approx(share[:shown])
    assert not leading[shown:].any()
    tracks = np.flatnonzero(jets.other["charge"])[:3]
    wide = INPUTS["wide_features"](table, 0)[row]
    assert wide[6 : 6 + len(tracks)] == pytest.approx(np.tanh(np.abs(jets.other["d0"][tracks]) / 0.1), rel=1e-5)
    assert np.isfinite(wide).all()


def test_every_baseline(finished_run, table, task):
    names = ("wide_features", "constituents", "images")
    outcome = probe(load_encoder(finished_run.best), table, task, [20], Origin(1, "x"), baselines=names)
    assert {record.baseline for record in outcome.results} == {None, *names}
