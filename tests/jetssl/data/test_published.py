"""Features of published taggers, by the formulas of their papers in double precision."""

import numpy as np
import pytest

from jetssl.data import published
from tests.helpers.toys import make_jets


def by_name(function, names, jets):
    return dict(zip(names, function(jets).T, strict=True))


def test_full_is_made_as_in_jetclass(rng):
    jets = make_jets(rng, [6, 2, 9])
    found = by_name(published.full, published.FULL, jets)
    owner = np.repeat(np.arange(3), jets.counts)
    pt, energy = jets.pt.astype(float), jets.energy.astype(float)
    d_eta = (jets.d_eta.astype(float) + (jets.axis - jets.jet_eta)[owner]) * np.where(jets.jet_eta > 0, 1, -1)[owner]
    d_r = np.hypot(d_eta, jets.d_phi)
    wanted = {
        "part_pt_log": (np.log(pt) - 1.7) * 0.7,
        "part_e_log": (np.log(energy) - 2.0) * 0.7,
        "part_logptrel": (np.log(pt / jets.jet_pt[owner]) + 4.7) * 0.7,
        "part_logerel": (np.log(energy / jets.jet_energy[owner]) + 4.7) * 0.7,
        "part_deltaR": (d_r - 0.2) * 4.0,
        "part_d0": np.tanh(jets.other["d0"]),
        "part_dzerr": np.clip(jets.other["dz_err"], 0, 1),
        "part_deta": d_eta,
        "part_dphi": jets.d_phi,
        "part_charge": jets.other["charge"],
    }
    for name, values in wanted.items():
        limited = np.clip(values, -5, 5) if name in published.SCALES else values
        assert found[name] == pytest.approx(limited, abs=1e-4), name


def test_smaller_sets_are_columns_of_the_larger(jets):
    full = by_name(published.full, published.FULL, jets)
    for function, names in ((published.kin, published.KIN), (published.kinpid, published.KINPID)):
        for name, column in by_name(function, names, jets).items():
            assert np.array_equal(column, full[name]), name


def test_omnilearned_numbers_types_and_cuts_nothing(jets):
    found = by_name(published.omnilearned, published.OMNILEARNED, jets)
    owner = np.repeat(np.arange(len(jets.counts)), jets.counts)
    assert found["d_eta"] == pytest.approx(jets.d_eta + (jets.axis - jets.jet_eta)[owner], abs=1e-6)
    assert np.exp(found["log_pt"]) == pytest.approx(jets.pt, rel=1e-5)
    assert np.exp(found["log_energy"]) == pytest.approx(jets.energy, rel=1e-5)
    assert found["tanh_dz"] == pytest.approx(np.tanh(jets.other["dz"]))
    assert np.array_equal(found["dz_err"], jets.other["dz_err"])
    ids = (-211, -13, -11, 11, 13, 22, 130, 211)
    columns = (jets.other["pdg_id"].tolist(), jets.other["charge"].tolist(), found["type_number"])
    for pdg_id, charge, number in zip(*columns, strict=True):
        kind = abs(pdg_id)
        known = {22: 22, 11: -11 * charge, 13: -13 * charge}.get(kind, 211 * charge if charge else 130)
        assert ids[int(number)] == known


def test_rs3l_is_not_mirrored(jets):
    found = by_name(published.rs3l, published.RS3L, jets)
    owner = np.repeat(np.arange(len(jets.counts)), jets.counts)
    assert found["d_eta"] == pytest.approx(jets.d_eta + (jets.axis - jets.jet_eta)[owner], abs=1e-6)
    assert found["log_pt_fraction"] == pytest.approx(np.log(jets.pt / jets.jet_pt[owner]), abs=1e-5)
    one_hot = [found[name] for name in published.RS3L if name.startswith("is_")]
    assert (np.sum(one_hot, axis=0) == 1).all()
