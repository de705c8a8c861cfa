"""Inputs of the probe that nobody trained, jet by jet with slow loops."""

import numpy as np
import pytest

from jetssl.data.jet_table import OPTIONAL_COLUMNS
from jetssl.data.parts import COLUMNS, Kind
from jetssl.data.table import load_pairs
from jetssl.evaluation.baselines import (
    HALF_WIDTH,
    INPUTS,
    LEADING,
    PIXELS,
    constituents,
    features,
    images,
    wide_features,
)
from resim.pairfile.mock import write_mock
from tests.helpers.toys import one_jet


def test_features_are_columns_of_the_file(table):
    found = features(table, 1)
    wanted = np.stack(
        [table.jets.softdrop_mass[1], table.jets.mass[1], table.jets.n_constituents[1], table.jets.pt[1]], 1
    )
    assert np.array_equal(found, wanted.astype(np.float32), equal_nan=True)


def test_constituents_are_padded_with_zeros(table):
    found = constituents(table, 0).reshape(-1, LEADING, 3)
    rows = np.flatnonzero(table.rows.valid[0])
    for row in rows[:20]:
        pt, d_eta, d_phi, _ = one_jet(table, 0, row)
        n = min(LEADING, len(pt))
        assert found[row, :n, 0] == pytest.approx(pt[:n] / table.jets.pt[0, row], rel=1e-4)
        assert found[row, :n, 1] == pytest.approx(d_eta[:n], abs=1e-4)
        assert found[row, :n, 2] == pytest.approx(d_phi[:n], abs=1e-4)
        assert not found[row, n:].any()
    assert not found[~table.rows.valid[0]].any()


def test_images_hold_the_pt_inside_their_window(table):
    found = images(table, 0)
    assert found.shape == (table.rows.n_rows, PIXELS**2)
    for row in np.flatnonzero(table.rows.valid[0])[:20]:
        pt, d_eta, d_phi, _ = one_jet(table, 0, row)
        bins = np.linspace(-HALF_WIDTH, HALF_WIDTH, PIXELS + 1)
        wanted, *_ = np.histogram2d(d_eta, d_phi, (bins, bins), weights=pt / table.jets.pt[0, row])
        assert found[row].sum() == pytest.approx(wanted.sum(), abs=1e-4)
        assert np.abs(found[row].reshape(PIXELS, PIXELS) - wanted).sum() < 0.05  # rounding moves what lies on an edge


def test_leading_tracks_of_the_wide_features(table):
    found = wide_features(table, 0)
    flat = table.constituents
    for row in np.flatnonzero(table.rows.valid[0])[:20]:
        inside = slice(table.starts[0, row], table.starts[0, row] + table.counts[0, row])
        d0 = np.abs(flat.other["d0"][inside][flat.other["charge"][inside] != 0])[:3]
        assert found[row, 6 : 6 + len(d0)] == pytest.approx(np.tanh(d0 / 0.1), abs=1e-6)
        assert not found[row, 6 + len(d0) : 9].any()


@pytest.mark.parametrize("name", INPUTS)
def test_one_row_for_each_row(table, name):
    valid = table.rows.valid[0]
    found = INPUTS[name](table, 0)
    assert (len(found), found.dtype) == (table.rows.n_rows, np.float32)
    assert np.isfinite(found[valid]).all()


@pytest.mark.parametrize("parts", [Kind.VERTEX, Kind.TRACK])
def test_what_is_beside_the_constituents_changes_no_input(tmp_path, parts):
    """Vertices, cells and tracks would count the energy of a particle twice."""
    path = write_mock(tmp_path / "pairs.h5", 20, vertices=True, cells=True)
    plain = load_pairs([path], columns=OPTIONAL_COLUMNS)
    beside = load_pairs([path], columns=(*OPTIONAL_COLUMNS, *COLUMNS[parts]))
    assert len(beside.constituents.pt) > len(plain.constituents.pt)
    for name, values in INPUTS.items():
        np.testing.assert_allclose(values(beside, 0), values(plain, 0), rtol=1e-5, err_msg=name)
