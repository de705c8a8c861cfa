"""Groomed masses and N-subjettiness against FastJet and a naive declustering."""

from itertools import pairwise

import awkward as ak
import numpy as np
import pytest

from resim.card.jet_settings import JetSettings
from resim.common.ragged import offsets_of
from resim.jets.clustering import load_fastjet, momentum_array
from resim.jets.substructure import substructure
from tests.helpers.references import naive_softdrop_mass


def test_softdrop_equals_a_naive_declustering():
    rng = np.random.default_rng(5)
    lengths = [1, 2, 7, 15, 20]
    n = sum(lengths)
    pt, eta, phi = rng.exponential(30, n) + 1, rng.normal(0, 0.3, n), rng.normal(0, 0.3, n)
    momenta = {"px": pt * np.cos(phi), "py": pt * np.sin(phi), "pz": pt * np.sinh(eta)}
    momenta["energy"] = np.sqrt(sum(p**2 for p in momenta.values()) + 0.14**2)
    offsets = offsets_of(lengths)
    found = substructure(offsets, momenta, JetSettings(radius=0.8))
    stacked = np.stack(list(momenta.values()), axis=1)
    expected = [naive_softdrop_mass(stacked[a:b], 0.1) for a, b in pairwise(offsets)]
    assert found["softdrop_mass"] == pytest.approx(expected, abs=1e-4)
    assert all(np.isfinite(values).all() for values in found.values())


@pytest.mark.parametrize(("z_cut", "beta", "angular"), [(0.1, 0.0, 1.0), (0.05, 1.0, 2.0), (0.2, -1.0, 0.5)])
def test_substructure_is_that_of_fastjet(z_cut, beta, angular):
    """On toy jets of every size from 1 to 60 constituents, with FastJet's contrib through its awkward interface."""
    rng = np.random.default_rng(7)
    offsets = offsets_of(np.arange(1, 61))
    n = int(offsets[-1])
    pt, eta, phi = rng.exponential(30, n) + 0.5, rng.normal(1.5, 0.3, n), rng.normal(3.0, 0.3, n)
    momenta = {"px": pt * np.cos(phi), "py": pt * np.sin(phi), "pz": pt * np.sinh(eta)}
    momenta["energy"] = np.sqrt(sum(p**2 for p in momenta.values()) + rng.choice([0, 0.14, 0.94], n) ** 2)
    settings = JetSettings(radius=0.8, softdrop_z_cut=z_cut, softdrop_beta=beta, nsubjettiness_beta=angular)
    found = substructure(offsets, momenta, settings)
    fastjet = load_fastjet()
    definition = fastjet.JetDefinition(fastjet.cambridge_algorithm, 1000.0)
    sequence = fastjet.ClusterSequence(momentum_array(offsets, **momenta), definition)
    groomed = sequence.exclusive_jets_softdrop_grooming(1, beta, z_cut, "scalar_z", 0.8)
    tau = sequence.njettiness("NormalizedMeasure", "WTA_KT_Axes", [1, 2, 3, 4], angular, 0.8)
    # One constituent: FastJet's mass is rounded differently. Zero against rounding errors: 1e-5 GeV.
    assert found["softdrop_mass"] == pytest.approx(np.maximum(ak.to_numpy(groomed.msoftdrop), 0), rel=1e-9, abs=1e-5)
    for axes in range(4):
        assert found[f"tau{axes + 1}"] == pytest.approx(ak.to_numpy(tau)[:, axes], rel=1e-9, abs=1e-12)


def test_n_subjettiness_counts_prongs():
    """Two collinear-split prongs: tau1 by hand, tau2 = 0; axes equal constituents give tau_N = 0."""
    half = 0.2
    phi = np.array([half, -half])
    momenta = {"px": 50 * np.cos(phi), "py": 50 * np.sin(phi), "pz": np.zeros(2), "energy": np.full(2, 50.0)}
    found = substructure(offsets_of([2]), momenta, JetSettings(radius=0.8))
    assert found["tau1"][0] == pytest.approx(half / 0.8, rel=0.01)
    assert found["tau2"][0] == pytest.approx(0, abs=1e-6)


def test_no_jets_no_substructure():
    empty = {name: np.empty(0) for name in ("px", "py", "pz", "energy")}
    assert {len(values) for values in substructure(offsets_of([]), empty, JetSettings(radius=0.8)).values()} == {0}
