from dataclasses import replace

import numpy as np
import pytest

from jetssl.config.data import Fractions
from jetssl.data.jets import gather_jets
from jetssl.data.tensors import to_tensors
from jetssl.evaluation.baselines import INPUTS
from jetssl.evaluation.embedding import embed
from jetssl.evaluation.metrics import auc
from jetssl.evaluation.probe import CLASSIFIERS, probe
from jetssl.evaluation.results import Origin
from jetssl.evaluation.task import draw_labels, make_task
from jetssl.models.checkpoints import load_encoder
from resim.common.errors import InputError

TASK = (["two_prong"], ["one_prong"])


@pytest.fixture
def task(table):
    return make_task(table.rows, Fractions(), *TASK)


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


def test_training_and_test_share_no_hard_scatter(task, table):
    assert not set(table.rows.event[task.train]) & set(table.rows.event[task.test])
    assert table.rows.valid[task.view][np.concatenate([task.train, task.test])].all()


def test_draws_are_balanced_and_labelled_in_training(task, rng):
    rows = draw_labels(task, 20, rng)
    assert len(set(rows)) == 20
    assert task.is_signal[rows].sum() == 10
    assert np.isin(rows, task.train).all()


def test_too_many_labels(task, rng):
    with pytest.raises(InputError, match=r"1000 labels need 500 signal jets, the training split has \d+"):
        draw_labels(task, 1000, rng)


@pytest.mark.parametrize(
    ("signal", "background", "view", "message"),
    [
        ([], [], "", "no class left for --background; classes are one_prong, two_prong"),
        (["hbb"], [], "", "no class 'hbb' in the data"),
        (["one_prong"], ["one_prong"], "", "is both signal and background"),
        (*TASK, "vincia", "--view 'vincia' is not among the common views"),
    ],
)
def test_bad_tasks(table, signal, background, view, message):
    with pytest.raises(InputError, match=message):
        make_task(table.rows, Fractions(), signal, background, view)


def test_a_leak_through_an_extract_is_refused(task, table):
    pt, eta = table.rows.parton_pt.copy(), table.rows.parton_eta.copy()
    pt[task.test[0]], eta[task.test[0]] = pt[task.train[0]], eta[task.train[0]]
    with pytest.raises(InputError, match=r"1 of \d+ test jets have the hard parton of a labelled one"):
        make_task(replace(table.rows, parton_pt=pt, parton_eta=eta), Fractions(), *TASK)


def test_default_classes(table):
    renamed = replace(table.rows, classes=("qcd_g", "two_prong"))
    assert make_task(renamed, Fractions()).name == "two_prong_vs_qcd_g"


def test_embedding_is_in_order(finished_run, table):
    encoder = load_encoder(finished_run.best).encoder
    row = np.flatnonzero(table.rows.valid.any(0))[:9]
    view = np.argmax(table.rows.valid[:, row], axis=0)
    vectors = embed(encoder, table, view, row, "relative")
    for i in (0, 4, 8):
        jets = to_tensors(gather_jets(table, view[i : i + 1], row[i : i + 1]), "relative")
        np.testing.assert_allclose(vectors[i], encoder(*jets).jet.detach()[0], rtol=1e-3, atol=1e-5)


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
