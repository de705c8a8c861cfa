from dataclasses import replace

import numpy as np
import pytest

from jetssl.evaluation import bootstrap
from jetssl.evaluation.causes import causes, n_displaced
from jetssl.evaluation.results import Origin
from jetssl.evaluation.robustness import CommonJets


@pytest.fixture
def displaced(table):
    """The file, with charged particles whose d0 in mm is (number of the jet modulo 3) / 10 + 0.05."""
    charge, d0 = (np.array(table.constituents.other[name]) for name in ("charge", "d0"))
    for view, row in np.argwhere(table.counts > 0):
        start = table.starts[view, row]
        inside = slice(start, start + table.counts[view, row])
        charge[inside], d0[inside] = 0, 9.0
        charge[start], d0[start] = 1, -(0.05 + 0.1 * (row % 3))
    flat = replace(table.constituents, other=table.constituents.other | {"charge": charge, "d0": d0})
    return replace(table, constituents=flat)


def test_neutral_particles_do_not_count(displaced):
    rows = np.flatnonzero(displaced.rows.valid[1])
    assert n_displaced(displaced, 1, rows).tolist() == (rows % 3 > 0).tolist()


def test_means_and_shifts(displaced, task, monkeypatch):
    monkeypatch.setattr(bootstrap, "N_REPLICAS", 40)
    common = displaced.rows.valid[:, task.test].all(axis=0)
    task = replace(task, test=task.test[common], hard_scatter=task.hard_scatter[common])
    jets = CommonJets(task, ("nominal", "herwig"), displaced.rows.label[task.test])
    results, shapes = causes(displaced, jets, Origin(1, "jetssl evaluate"))
    by_key = {(r.metric, r.view, r.other_view, r.jet_class): r for r in results}
    for name, rows in jets.members.items():
        mass = [displaced.jets.mass[displaced.rows.views.index(view), task.test[rows]].mean() for view in jets.views]
        shift = by_key["mean_mass_shift", "nominal", "herwig", name]
        assert shift.value == pytest.approx(float(mass[1]) - float(mass[0]), abs=1e-3)
        assert by_key["mean_mass", "herwig", None, name].value == pytest.approx(mass[1], rel=1e-5)
        share = by_key["displaced_fraction", "nominal", None, name]
        assert share.value == pytest.approx((task.test[rows] % 3 > 0).mean())
        assert by_key["displaced_fraction_shift", "nominal", "herwig", name].error == 0
    assert {shape.quantity for shape in shapes} == {"mass", "n_constituents", "n_displaced"}
    for shape in shapes:
        assert sum(shape.counts) == len(jets.members[shape.jet_class])
