from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jetssl.data.batching import gather_jets
from jetssl.data.features import FEATURE_SETS, momenta, relative
from tests.jetssl.conftest import make_jets

NAMES = FEATURE_SETS["relative"].names
TYPES = slice(NAMES.index("is_charged_hadron"), None)


def boosted_eta(jets, boost):
    """Pseudorapidity of massive jets after their rapidity has grown by `boost`."""
    transverse_mass = np.hypot(jets.pt, jets.mass)
    rapidity = np.arcsinh(jets.pt * np.sinh(jets.eta) / transverse_mass) + boost
    return np.arcsinh(transverse_mass * np.sinh(rapidity) / jets.pt).astype(np.float32)


def test_jets_are_centred_whatever_their_mass_and_direction(table):
    """The toy jets are massless constituents: their pT-weighted centre is the axis, up to their width squared."""
    row = np.flatnonzero(table.valid[0])
    jets = gather_jets(table, np.zeros(len(row), int), row)
    centre = (jets.pt * jets.d_eta).sum(1) / jets.pt.sum(1)
    assert np.abs(centre).max() < 0.01


@settings(max_examples=30, deadline=None)
@given(scale=st.floats(0.1, 10), boost=st.floats(-2, 2), phi=st.floats(-7, 7))
def test_no_absolute_scale_or_position(table, scale, boost, phi):
    """Scaling all momenta, a boost along the beam and a rotation about it leave every feature as it is."""
    row = np.flatnonzero(table.valid[0])[:6]
    flat, columns = table.constituents, table.jets
    moved = replace(
        table,
        constituents=replace(
            flat, pt=flat.pt * np.float32(scale), eta=flat.eta + np.float32(boost), phi=flat.phi + np.float32(phi)
        ),
        jets=replace(
            columns,
            pt=columns.pt * np.float32(scale),
            mass=columns.mass * np.float32(scale),
            eta=boosted_eta(columns, boost),
            phi=columns.phi + np.float32(phi),
        ),
    )
    view = np.zeros(6, int)
    before, after = (relative(gather_jets(source, view, row)) for source in (table, moved))
    np.testing.assert_allclose(after, before, atol=1e-4)


def test_types_are_exclusive(jets):
    features = relative(jets)
    assert features.shape == (4, 12, len(NAMES))
    assert features.dtype == np.float32
    assert (features[..., TYPES].sum(-1) == jets.mask).all()
    assert (features[~jets.mask] == 0).all()


@pytest.mark.parametrize(
    ("pdg_id", "charge", "name"),
    [
        (22, 0, "is_photon"),
        (0, 0, "is_neutral_hadron"),
        (130, 0, "is_neutral_hadron"),
        (-11, 1, "is_electron"),
        (13, -1, "is_muon"),
        (-2212, -1, "is_charged_hadron"),
        (3112, -1, "is_charged_hadron"),
    ],
)
def test_type_of(rng, pdg_id, charge, name):
    one = make_jets(rng, [1])
    jet = replace(one, pdg_id=np.array([[pdg_id]], np.int32), charge=np.array([[charge]], np.int8))
    assert relative(jet)[0, 0, NAMES.index(name)] == 1
    assert relative(jet)[0, 0, NAMES.index("charge")] == charge


def test_momenta(jets):
    energy, *momentum = np.moveaxis(momenta(jets).astype(np.float64), -1, 0)
    np.testing.assert_allclose(np.hypot(momentum[0], momentum[1]), jets.pt, rtol=1e-5)
    mass = np.sqrt(np.maximum(energy**2 - sum(p**2 for p in momentum), 0))
    assert np.abs(mass - jets.mass)[jets.mask].max() < 0.1
    assert (momenta(jets)[~jets.mask] == 0).all()
