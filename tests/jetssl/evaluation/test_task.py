"""Which jets a probe is trained and tested with."""

import re
from dataclasses import replace

import numpy as np
import pytest

from jetssl.config.data import Fractions
from jetssl.evaluation.task import among, draw_labels, make_task, warn_of_other_identities
from resim.common.errors import InputError


def test_training_and_test_share_no_hard_scatter(task, table):
    assert not set(table.rows.event[task.train]) & set(table.rows.event[task.test])
    assert table.rows.valid[task.view][np.concatenate([task.train, task.test])].all()


def test_draws_are_balanced_and_labelled_in_training(task, rng):
    rows = draw_labels(task, 20, rng)
    assert len(set(rows)) == 20
    assert task.is_signal[rows].sum() == 10
    assert np.isin(rows, task.train).all()


def test_too_many_labels(task, rng):
    with pytest.raises(InputError, match=r"1000 labels need 500 jets of two_prong, the training split has \d+"):
        draw_labels(task, 1000, rng)


@pytest.mark.parametrize(
    ("signal", "background", "view", "message"),
    [
        ([], [], "", "no class left for --background; classes are one_prong, two_prong"),
        (["hbb"], [], "", "no class 'hbb' in the data"),
        (["one_prong"], ["one_prong"], "", "is both signal and background"),
        (["two_prong"], ["one_prong"], "vincia", "--view 'vincia' is not among the common views"),
    ],
)
def test_bad_tasks(table, signal, background, view, message):
    with pytest.raises(InputError, match=message):
        make_task(table.rows, Fractions(), signal, background, view)


def test_a_run_on_files_of_another_schema_version_is_said(finished_run, table, caplog):
    warn_of_other_identities(finished_run, table.rows)
    assert not caplog.text
    old = replace(table.rows, files=tuple(replace(file, version=2) for file in table.rows.files))
    warn_of_other_identities(finished_run, old)
    assert "test jets may be jets that it was trained on" in caplog.text


def test_default_classes(table):
    renamed = replace(table.rows, classes=("qcd_g", "two_prong"))
    assert make_task(renamed, Fractions()).name == "two_prong_vs_qcd_g"


def test_a_leak_through_an_extract_is_refused(task, table):
    pt, eta = table.rows.parton_pt.copy(), table.rows.parton_eta.copy()
    pt[task.test[0]], eta[task.test[0]] = pt[task.train[0]], eta[task.train[0]]
    with pytest.raises(InputError, match=r"1 of \d+ test jets have the hard parton of a labelled one"):
        make_task(replace(table.rows, parton_pt=pt, parton_eta=eta), Fractions(), ["two_prong"], ["one_prong"])


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (["two_prong"], "--classes two_prong: one class is nothing to tell apart"),
        (["two_prong", "hbb"], "no class 'hbb' in the data"),
        (["one_prong+two_prong", "one_prong"], "'one_prong' occurs twice"),
        (["one_prong+two_prong", ""], "no class '' in the data"),
    ],
)
def test_bad_classes(table, classes, message):
    with pytest.raises(InputError, match=re.escape(message)):
        make_task(table.rows, Fractions(), classes=classes)
    with pytest.raises(InputError, match="leave out --signal and --background"):
        make_task(table.rows, Fractions(), ["two_prong"], classes=classes)


def test_two_classes_by_name_are_signal_and_background(task, table):
    same = make_task(table.rows, Fractions(), classes=("two_prong", "one_prong"))
    assert (same.name, same.signal, same.background) == (task.name, task.signal, task.background)
    assert (same.is_signal == (table.rows.label == "two_prong")).all()


def test_labels_of_three_classes(table, rng):
    groups = (table.rows.event % 3).astype(np.int16)
    rows = replace(table.rows, classes=("a", "b", "c"), class_index=groups)
    task = make_task(rows, Fractions(), classes=("c", "a", "b"))
    drawn = draw_labels(task, 30, rng)
    assert np.bincount(task.class_index[drawn]).tolist() == [10, 10, 10]
    assert (rows.label[drawn[:10]] == "c").all()
    with pytest.raises(InputError, match="40 labels are no equal numbers of 3 classes; ask for a multiple of 3"):
        draw_labels(task, 40, rng)
    grouped = make_task(rows, Fractions(), classes=("c+a", "b"))
    assert grouped.name == "c+a_vs_b"


def test_weights_of_events(task, table):
    """They count with their sign in judgements, and by their size in fits."""
    assert not task.weighted
    assert task.sizes(task.train) is None
    assert task.sizes_of(task.train, task.validation) is None
    weights = np.where(np.arange(table.rows.n_rows) % 5 == 0, -1.0, 1.5)
    rows = replace(table.rows, weight=weights)
    weighted = make_task(rows, Fractions(), ["two_prong"], ["one_prong"])
    assert weighted.weighted
    assert weighted.weights is rows.weight
    assert weighted.sizes(task.train).tolist() == np.abs(weights[task.train]).tolist()
    assert not make_task(rows, Fractions(), ["two_prong"], ["one_prong"], unweighted=True).weighted


def test_some_of_the_rows(task, table):
    kept = np.ones(table.rows.n_rows, bool)
    kept[task.test[::2]] = False
    fewer = among(task, kept)
    assert np.array_equal(fewer.test, task.test[1::2])
    assert np.array_equal(fewer.hard_scatter, table.rows.identity[fewer.test])
    assert np.array_equal(fewer.train, task.train)
    kept[task.train] = False
    with pytest.raises(InputError, match="the training split has 0 jets of two_prong"):
        among(task, kept)
