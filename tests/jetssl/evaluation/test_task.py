"""Which jets a probe is trained and tested with."""

from dataclasses import replace

import numpy as np
import pytest

from jetssl.config.data import Fractions
from jetssl.evaluation.task import draw_labels, make_task
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
    with pytest.raises(InputError, match=r"1000 labels need 500 signal jets, the training split has \d+"):
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


def test_default_classes(table):
    renamed = replace(table.rows, classes=("qcd_g", "two_prong"))
    assert make_task(renamed, Fractions()).name == "two_prong_vs_qcd_g"


def test_a_leak_through_an_extract_is_refused(task, table):
    pt, eta = table.rows.parton_pt.copy(), table.rows.parton_eta.copy()
    pt[task.test[0]], eta[task.test[0]] = pt[task.train[0]], eta[task.train[0]]
    with pytest.raises(InputError, match=r"1 of \d+ test jets have the hard parton of a labelled one"):
        make_task(replace(table.rows, parton_pt=pt, parton_eta=eta), Fractions(), ["two_prong"], ["one_prong"])
