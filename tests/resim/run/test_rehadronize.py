"""A view made anew under the name of a stored one is that view, bit by bit."""

from dataclasses import replace

import numpy as np
import pytest

from resim.card.view_plan import GeneratorPlan, ViewPlan
from resim.common.errors import InputError
from resim.hard_scatter import lhe_reading
from resim.pairfile.merging import merge
from resim.pairfile.reader import PairFile
from resim.pairfile.writer import Storage
from resim.run import rehadronize
from resim.run.rehadronize import Rehadronizer, _views


@pytest.fixture(scope="module")
def hadronize(pairs):
    return Rehadronizer(pairs)


def test_the_stored_view_comes_out_under_its_name(pairs, hadronize):
    with PairFile(pairs) as file:
        wanted = np.array([len(file) - 1, 3, 0, 1])
        stored = file.block(0, len(file))
    found = 0
    for made in hadronize.rows(wanted, "nominal", ["rehadron", "other"]):
        for i, place in zip(made.which, made.place, strict=True):
            now, then = made.block.row(int(place)), stored.row(int(wanted[i]))
            found += 1
            assert now.arrays["hard_scatter/event"] == then.arrays["hard_scatter/event"]
            for path in (path for path in then.arrays if path.startswith("views/rehadron/")):
                np.testing.assert_array_equal(now.arrays[path], then.arrays[path])
            jets = [now.arrays[f"views/{name}/jets/pt"] for name in ("nominal", "rehadron", "other")]
            assert len({float(pt[0]) for pt in jets}) == 3
    assert found == len(wanted)


def test_of_a_rounded_file_the_stored_view_comes_out_too(pairs, hadronize, tmp_path):
    """As its constituents are rounded; those that are made of the file before are not."""
    merge([pairs], tmp_path / "small.h5", Storage(rounded=True))
    row, path = np.array([2]), "views/rehadron/constituents/"
    (small,), (before,) = (
        list(one.rows(row, "nominal", ["rehadron"])) for one in (Rehadronizer(tmp_path / "small.h5"), hadronize)
    )
    with PairFile(tmp_path / "small.h5") as file:
        stored = file.block(2, 3)
    now, exact = (made.block.row(int(made.place[0])).arrays for made in (small, before))
    for name in (name for name in stored.arrays if name.startswith(path)):
        np.testing.assert_array_equal(now[name], stored.arrays[name])
    assert not np.array_equal(exact[path + "pt"], stored.arrays[path + "pt"])


def test_a_root_view_of_another_generator_is_refused_at_once(pairs, monkeypatch):
    """Even if Pythia made the view that is asked for."""
    real = rehadronize.stored_plan

    def of_herwig(file, source, lhe):
        plan = real(file, source, lhe)
        root = replace(plan.views[0], generator=GeneratorPlan("herwig7", ()))
        return replace(plan, views=(root, *plan.views[1:]))

    monkeypatch.setattr(rehadronize, "stored_plan", of_herwig)
    with pytest.raises(InputError, match="root view 'nominal' is of herwig7; only files whose root view is Pythia's"):
        Rehadronizer(pairs)


def test_events_are_read_once(hadronize, monkeypatch):
    list(hadronize.rows(np.array([0]), "nominal", ["a"]))
    monkeypatch.setattr(lhe_reading, "read_blocks", None)
    list(hadronize.rows(np.array([1]), "nominal", ["b"]))


def test_only_pythia_hadronizes_anew(pairs, monkeypatch):
    """Said before the first row is made."""
    hadronize = Rehadronizer(pairs)
    hadronize.require(["nominal", "rehadron"])
    herwig = ViewPlan("herwig", None, None, "herwig", "herwig", GeneratorPlan("herwig7", ()))
    with pytest.raises(InputError, match="view 'herwig' is of herwig7, only Pythia 8 hadronizes anew"):
        _views((herwig,), "herwig", ["new"], pairs)
    plans = {source: replace(plan, views=(*plan.views, herwig)) for source, plan in hadronize._plans.items()}
    monkeypatch.setattr(hadronize, "_plans", plans)
    with pytest.raises(InputError, match="view 'herwig' is of herwig7, only Pythia 8 hadronizes anew"):
        hadronize.require(["nominal", "herwig"])


def test_another_number_of_rows_is_said(hadronize):
    with pytest.raises(InputError, match="row 1 cannot be made again; see `resim replay`"):
        hadronize._places(np.array([1]), np.array([], np.int64))
