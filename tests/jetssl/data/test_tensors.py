"""Padding happens once, in `to_tensors`, and decides nothing."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from jetssl.data.features import CONSTITUENT_FEATURES, FEATURE_SETS, momenta
from jetssl.data.jets import gather_jets
from jetssl.data.tensors import to_tensors
from tests.helpers.toys import make_jets, one_jet, split_by_jet

TYPES = (11, 13, 22)


@pytest.mark.slow
@given(counts=st.lists(st.integers(1, 7), min_size=1, max_size=20), seed=st.integers(0, 99))
@pytest.mark.parametrize("name", list(CONSTITUENT_FEATURES))
def test_every_jet_at_its_place(name, counts, seed):
    jets = make_jets(np.random.default_rng(seed), counts)
    batch = to_tensors(jets, name)
    n_features = len(FEATURE_SETS[name].names)
    assert batch.features.shape == (len(counts), max(counts), n_features)
    assert batch.momenta.shape == (len(counts), max(counts), 4)
    assert (batch.features.dtype, batch.momenta.dtype, batch.mask.dtype) == (torch.float32, torch.float32, torch.bool)
    assert batch.mask.sum(1).tolist() == counts
    for padded, flat in ((batch.features, FEATURE_SETS[name].compute(jets)), (batch.momenta, momenta(jets))):
        for i, values in enumerate(split_by_jet(jets, flat)):
            np.testing.assert_array_equal(padded[i, : counts[i]], values)
            assert (padded[i, counts[i] :] == 0).all()
            assert not batch.mask[i, counts[i] :].any()


@pytest.mark.parametrize("name", list(CONSTITUENT_FEATURES))
def test_jets_do_not_depend_on_their_batch(name, jets):
    together = to_tensors(jets, name)
    for i, count in enumerate(jets.counts):
        alone = to_tensors(jets.take(np.array([i])), name)
        for padded, values in zip(together[:3], alone[:3], strict=True):
            np.testing.assert_array_equal(padded[i, :count], values[0])


def test_real_zeros_stay_real(table):
    """A neutral 0 in a column is no padding: only the counts decide."""
    row = np.flatnonzero(table.rows.valid[0])[:5]
    batch = to_tensors(gather_jets(table, np.zeros(5, int), row), "relative")
    charge = batch.features[..., FEATURE_SETS["relative"].names.index("charge")]
    assert (charge[batch.mask] == 0).any()
    assert batch.mask.sum() == table.counts[0, row].sum()


def test_relative_features_and_momenta_of_stored_jets(table):
    """Against a loop over jets, one at a time and in double precision, as the documentation defines them."""
    view, row = np.argwhere(table.rows.valid)[::5].T
    batch = to_tensors(gather_jets(table, view, row), "relative")
    for i, place in enumerate(zip(view, row, strict=True)):
        pt, d_eta, d_phi, mass = one_jet(table, *place)
        inside = slice(table.starts[place], table.starts[place] + len(pt))
        charge, pdg_id = (table.constituents.other[name][inside] for name in ("charge", "pdg_id"))
        kind = [np.abs(pdg_id) == number for number in TYPES]
        hadron = ~np.any([np.isin(np.abs(pdg_id), TYPES)], axis=0)
        columns = [(np.log(pt / table.jets.pt[place]) + 4.5) / 1.5, d_eta / 0.25, d_phi / 0.25]
        columns += [np.hypot(d_eta, d_phi) / 0.25, charge, hadron & (charge != 0), hadron & (charge == 0)]
        columns += [kind[2], kind[0], kind[1]]
        wanted = np.stack(columns, axis=1)
        np.testing.assert_allclose(batch.features[i][batch.mask[i]], wanted, rtol=1e-6, atol=2e-6)
        p_z = pt * np.sinh(d_eta)
        vectors = [np.sqrt(pt**2 + p_z**2 + mass**2), pt * np.cos(d_phi), pt * np.sin(d_phi), p_z]
        difference = batch.momenta[i][batch.mask[i]].numpy() - np.stack(vectors, axis=1)
        assert (np.abs(difference) <= 1e-6 * vectors[0][:, None]).all()
