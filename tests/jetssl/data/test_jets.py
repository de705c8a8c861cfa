from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetssl.data.features import CONSTITUENT_FEATURES, FEATURE_SETS
from jetssl.data.jets import concatenate, gather_jets
from jetssl.data.kinematics import hypotenuse, masses, sinh, wrapped
from jetssl.data.table import load_pairs
from resim.common.angles import wrap
from tests.helpers.toys import make_jets, one_jet, split_by_jet

COUNTS = st.lists(st.integers(1, 7), min_size=1, max_size=20)


def same(first, second):
    names = ("pt", "d_eta", "d_phi", "mass", "counts", "jet_pt", "jet_energy", "jet_eta", "axis")
    for name in names:
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    assert list(first.other) == list(second.other)
    for name, values in first.other.items():
        np.testing.assert_array_equal(values, second.other[name])


@given(counts=COUNTS, seed=st.integers(0, 99))
def test_sums_extents_and_energies_jet_by_jet(counts, seed):
    jets = make_jets(np.random.default_rng(seed), counts)
    parts = split_by_jet(jets, jets.d_eta)
    np.testing.assert_allclose(jets.sums(jets.d_eta), [part.sum() for part in parts], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(jets.extents(jets.d_eta), [np.ptp(part) for part in parts])
    assert jets.sums(jets.d_eta).dtype == jets.extents(jets.d_eta).dtype == np.float32
    for i, (pt, mass, eta) in enumerate(
        zip(*(split_by_jet(jets, v) for v in (jets.pt, jets.mass, jets.d_eta)), strict=True)
    ):
        wanted = np.sqrt((pt * np.cosh(eta.astype(float) + jets.axis[i])) ** 2 + mass**2)
        np.testing.assert_allclose(split_by_jet(jets, jets.energy)[i], wanted, rtol=1e-6)


@given(counts=COUNTS, seed=st.integers(0, 99), data=st.data())
def test_take_and_concatenate(counts, seed, data):
    jets = make_jets(np.random.default_rng(seed), counts)
    index = np.array(data.draw(st.lists(st.integers(0, len(counts) - 1), min_size=1, max_size=9)))
    same(jets.take(index), concatenate([jets.take(np.array([i])) for i in index]))
    np.testing.assert_array_equal(jets.take(index).counts, jets.counts[index])
    parts = [split_by_jet(jets, jets.pt)[i] for i in index]
    np.testing.assert_array_equal(jets.take(index).pt, np.concatenate(parts))
    same(concatenate([jets, jets.take(index)]).take(np.arange(len(counts))), jets)


def test_gathers_the_right_jets(table):
    """Against a loop over jets, one at a time and in double precision."""
    view, row = np.argwhere(table.rows.valid)[::3].T
    jets = gather_jets(table, view, row)
    assert jets.counts.tolist() == table.counts[view, row].tolist()
    wanted = [one_jet(table, *place) for place in zip(view, row, strict=True)]
    for name, values in zip(("pt", "d_eta", "d_phi", "mass"), zip(*wanted, strict=True), strict=True):
        column = getattr(jets, name)
        assert column.dtype == np.float32
        np.testing.assert_allclose(column, np.concatenate(values), rtol=1e-6, atol=1e-6, err_msg=name)
    for name, values in table.constituents.other.items():
        inside = [slice(s, s + n) for s, n in zip(table.starts[view, row], jets.counts, strict=True)]
        np.testing.assert_array_equal(jets.other[name], np.concatenate([values[where] for where in inside]))
    for name in ("pt", "energy", "eta"):
        np.testing.assert_array_equal(getattr(jets, f"jet_{name}"), getattr(table.jets, name)[view, row])
    assert (jets.other["charge"] == 0).any()
    assert (np.abs(jets.d_phi) < 1).all()


def test_jets_across_the_cut_in_azimuth(table):
    row = np.flatnonzero(table.rows.valid[0])
    jets = gather_jets(table, np.zeros(len(row), int), row)
    flat = table.constituents
    turned = replace(
        table,
        constituents=replace(flat, phi=wrap(flat.phi + np.float32(1.7))),
        jets=replace(table.jets, phi=wrap(table.jets.phi + np.float32(1.7))),
    )
    moved = gather_jets(turned, np.zeros(len(row), int), row)
    assert np.ptp(turned.jets.phi[0, row]) > 6
    np.testing.assert_allclose(moved.d_phi, jets.d_phi, atol=2e-6)


def test_only_columns_that_are_asked_for(mock_file, table):
    small = load_pairs([mock_file], columns=FEATURE_SETS["kinpid"].columns)
    assert list(small.constituents.other) == ["charge", "pdg_id"]
    row = np.flatnonzero(table.rows.valid[0])
    view = np.zeros(len(row), int)
    few, all_of_them = gather_jets(small, view, row), gather_jets(table, view, row)
    for name, features in CONSTITUENT_FEATURES.items():
        if name in {"full", "omnilearned", "relative_ip", "rs3l", "scalars_ip"}:
            with pytest.raises(KeyError, match="d0"):
                features.compute(few)
        else:
            np.testing.assert_array_equal(features.compute(few), features.compute(all_of_them))


@pytest.mark.parametrize("name", list(CONSTITUENT_FEATURES))
def test_a_feature_set_reads_the_columns_that_it_names(name, jets):
    features = FEATURE_SETS[name]
    named = {column: jets.other[column] for column in features.columns}
    np.testing.assert_array_equal(features.compute(replace(jets, other=named)), features.compute(jets))
    for missing in features.columns:
        rest = {column: values for column, values in named.items() if column != missing}
        with pytest.raises(KeyError, match=missing):
            features.compute(replace(jets, other=rest))


@given(st.lists(st.floats(-60, 60, width=32), min_size=1, max_size=9))
def test_wrapped(angles):
    before = np.float32(angles)
    after = wrapped(before)
    assert after.dtype == np.float32
    assert (after >= -np.float32(np.pi)).all()
    assert (after < np.float32(np.pi)).all()
    turns = (before.astype(float) - after) / (2 * np.pi)
    np.testing.assert_allclose(turns, np.round(turns), atol=1e-6)
    inside = (before >= -np.float32(np.pi)) & (before < np.float32(np.pi))
    np.testing.assert_array_equal(after[inside], before[inside])


def test_wrapped_at_the_edges():
    pi, below = np.float32(np.pi), np.nextafter(np.float32(np.pi), np.float32(0))
    edges = np.array([pi, -pi, below, -below, np.nextafter(pi, np.float32(4)), 3 * pi, -3 * pi], np.float32)
    after = wrapped(edges)
    assert after[:4].tolist() == [-pi, -pi, below, -below]
    np.testing.assert_allclose(np.abs(after), pi, atol=2e-6)
    assert (after >= -pi).all()
    assert (after < pi).all()
    given = edges.copy()
    wrapped(given)
    np.testing.assert_array_equal(given, edges)


@given(st.floats(-20, 20, width=32), st.floats(-20, 20, width=32))
def test_fast_functions_are_exact_enough(x, y):
    a, b = np.float32([x]), np.float32([y])
    assert sinh(a)[0] == pytest.approx(np.sinh(float(a[0])), abs=5e-7 * np.cosh(x))
    assert hypotenuse(a, b)[0] == pytest.approx(np.hypot(float(a[0]), float(b[0])), rel=1e-6, abs=1e-18)


def test_masses_survive_cancellation():
    """A pion of 100 GeV as the file stores it: m/E is 0.001, m^2/E^2 the last digits of single precision."""
    pt, eta = np.float32([10, 0.3, 0.3]), np.float32([3.0, -2.0, 0.1])
    p = pt * np.cosh(eta.astype(float))
    energy = np.sqrt(p**2 + np.array([0.13957, 0.13957, 0]) ** 2).astype(np.float32)
    exact = np.sqrt(np.maximum(energy.astype(float) ** 2 - p**2, 0))
    np.testing.assert_allclose(masses(pt, eta, energy), exact, rtol=1e-6, atol=1e-7)
    assert masses(pt, eta, energy)[1] == pytest.approx(0.13957, rel=1e-5)
