from dataclasses import replace

import numpy as np
import pytest

from jetssl.common.roc import auc
from jetssl.config.data import Fractions
from jetssl.data.jets import gather_jets
from jetssl.evaluation.baselines import INPUTS
from jetssl.evaluation.layers import ENCODER, Layer
from jetssl.evaluation.probe import CLASSIFIERS, probe
from jetssl.evaluation.results import Origin
from jetssl.evaluation.task import make_task

ORIGIN = Origin(1, "jetssl probe run")


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


@pytest.mark.slow
def test_probe_records(subject, task):
    outcome = probe(subject, [20, None], ORIGIN, quiet=True)
    metrics = {(r.baseline, r.all_labels, r.metric): r for r in outcome.results}
    assert len(metrics) == len(outcome.results) == 2 * (3 * 7 + 2)
    for many in (False, True):
        difference = metrics[None, many, "auc_minus_random"]
        values = [metrics[baseline, many, "auc"] for baseline in (None, "random")]
        assert difference.value == pytest.approx(values[0].value - values[1].value)
        assert all(value.error >= 0 and value.n_draws == 10 for value in values)
    assert metrics[None, True, "auc"].n_labels == len(task.train)
    assert len(outcome.curves) == 6
    again = probe(subject, [20, None], ORIGIN, quiet=True)
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


@pytest.mark.slow
def test_every_baseline(subject):
    names = ("wide_features", "constituents", "images", "efp")
    outcome = probe(subject, [20], ORIGIN, baselines=names, quiet=True)
    assert {record.baseline for record in outcome.results} == {None, *names}


@pytest.mark.slow
@pytest.mark.parametrize("method", ["linear_probe", "knn"])
def test_several_classes(method, subject, table, rng):
    """One prong at random under two names, so nobody tells these apart."""
    label = rng.integers(0, 2, table.rows.n_rows) * (table.rows.class_index == 0)
    classes = ("one_prong", "other", "two_prong")
    rows = replace(table.rows, classes=classes, class_index=(2 * table.rows.class_index + label).astype(np.int16))
    task = make_task(rows, Fractions(), classes=("two_prong", "one_prong", "other"))
    outcome = probe(replace(subject, task=task), [30], ORIGIN, baselines=("features",), method=method, quiet=True)
    values = {(r.baseline, r.metric, r.jet_class): r.value for r in outcome.results}
    assert outcome.results[0].classes == task.classes == ("two_prong", "one_prong", "other")
    assert values["features", "auc", "two_prong"] > values["features", "auc", "other"]
    # Against its twin 0.5, against the two prongs, which are two thirds of the others, nearly 1.
    assert values["features", "auc", "other"] == pytest.approx(0.83, abs=0.12)
    found = [values["features", "accuracy", name] for name in (None, *classes)]
    assert min(found[1:]) <= found[0] <= max(found[1:])
    assert not outcome.curves


@pytest.mark.slow
def test_layers_of_the_projector(subject):
    encoder, inner, last = (
        probe(replace(subject, layer=layer), [20], ORIGIN, baselines=("random",), quiet=True).results
        for layer in (ENCODER, Layer(1), Layer(2))
    )
    assert [results[0].layer for results in (encoder, inner, last)] == ["encoder", "projector.1", "projector.2"]
    assert len({results[0].value for results in (encoder, inner, last)}) == 3
