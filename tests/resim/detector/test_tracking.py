"""Tracks: efficiencies, resolutions and smeared parameters against the numbers of the card."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resim.detector import Detector
from resim.detector.card import CardModule
from resim.detector.objects import Objects
from resim.detector.random import Stream
from resim.detector.tracking import EnergySmearing, lognormal
from resim.particles import impact_parameters
from tests.helpers.particles import gun

ROOT = Path(__file__).parents[3]


CARDS = ROOT / "cards/delphes"


@given(st.floats(0.01, 1e4), st.floats(0.001, 1.0))
def test_lognormal_numbers_have_the_mean_and_the_deviation_asked_for(mean, relative):
    """Moments by Gauss-Hermite quadrature, exact for these integrands to rounding."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()
    values = lognormal(np.full(60, mean), np.full(60, relative * mean), nodes)
    average = (weights * values).sum()
    assert average == pytest.approx(mean, rel=1e-9)
    assert np.sqrt((weights * (values - average) ** 2).sum()) == pytest.approx(relative * mean, rel=1e-6)


def test_lognormal_of_nothing_is_nothing():
    assert lognormal(np.array([0.0, -1.0, 2.0]), np.array([1.0, 1.0, 0.0]), np.ones(3)).tolist() == [0, 0, 2]


EFFICIENCIES = [
    (211, 0.8, 0.5, 0.70), (211, 20, 0.5, 0.95), (211, 0.9, 2.0, 0.60), (211, 20, 2.0, 0.85), (211, 20, 2.6, 0),
    (11, 0.9, 0.5, 0.73), (11, 20, 0.5, 0.95), (11, 200, 0.5, 0.99), (11, 0.9, 2.0, 0.50), (11, 20, 2.0, 0.83), (11, 200, 2.0, 0.90),
    (13, 0.9, 0.5, 0.75), (13, 20, 0.5, 0.99), (13, 1500, 0.5, 0.99 * np.exp(0.5 - 0.75)), (13, 20, 2.0, 0.98), (13, 1500, 2.0, 0.98 * np.exp(0.5 - 0.75)),
]  # fmt: skip


@pytest.mark.parametrize(("pdg_id", "pt", "eta", "efficiency"), EFFICIENCIES)
def test_efficiency_in_every_bin_of_the_card(cms, pdg_id, pt, eta, efficiency):
    """DELPHES_CMS, section 3: 4000 single particles each."""
    n = 4000
    phi = np.linspace(-3, 3, n)
    found = cms.run(gun(pdg_id, [pt] * n, [eta] * n, phi), np.arange(n))
    tracks = (found.charge != 0).sum() / n
    assert abs(tracks - efficiency) <= 3.5 * np.sqrt(efficiency * (1 - efficiency) / n)


RESOLUTIONS = {
    "ChargedHadron": ((0.06, 1.3e-3), (0.10, 1.7e-3), (0.25, 3.1e-3)),
    "Electron": ((0.03, 1.3e-3), (0.05, 1.7e-3), (0.15, 3.1e-3)),
    "Muon": ((0.01, 1.0e-4), (0.015, 1.5e-4), (0.025, 3.5e-4)),
}


@pytest.mark.parametrize("kind", RESOLUTIONS)
@pytest.mark.parametrize("card", ["cms", "cms_tracking", "cms_pileup"])
def test_momentum_resolution_in_every_bin_of_the_card(kind, card):
    """DELPHES_CMS, section 4; intervals of |eta| are open below and closed above."""
    formula = dict(Detector.from_card(CARDS / f"{card}.tcl").modules)[f"{kind}MomentumSmearing"].formula
    pt = np.array([0.3, 5.0, 80.0])
    for eta, region in ((0.0, 0), (-0.5, 0), (0.51, 1), (1.5, 1), (-1.51, 2), (2.5, 2)):
        a, b = RESOLUTIONS[kind][region]
        assert formula({"pt": pt, "eta": np.full(3, eta)}, 3) == pytest.approx(np.hypot(a, b * pt))
    assert formula({"pt": pt, "eta": np.full(3, 2.51)}, 3).tolist() == [0, 0, 0]


def test_muons_are_smeared_by_the_resolution_of_the_card(cms):
    """Muons leave nothing in the calorimeters, so their pT shows the tracker alone: sqrt(0.015^2 + (1.5e-4 pT)^2)."""
    n = 20_000
    found = cms.run(gun(13, [100.0] * n, [1.0] * n, np.linspace(-3, 3, n)), np.arange(n))
    relative = np.hypot(0.015, 1.5e-4 * 100)
    assert found.pt.mean() == pytest.approx(100, abs=4 * 100 * relative / np.sqrt(n))
    assert found.pt.std() == pytest.approx(100 * relative, rel=4 / np.sqrt(2 * n))
    assert found.eta == pytest.approx(1.0)
    assert found.mass == pytest.approx(0.10566)


def test_track_parameters_are_smeared_and_momenta_are_not_touched(recording):
    """DELPHES_PILEUP, section 5: 10 GeV muons, 0.0191 mm in d0 and 0.0382 mm in dz for |eta| <= 0.9."""
    n = 20_000
    muons = gun(13, [10.0] * n, [0.4] * n, np.linspace(-3, 3, n), vx=0.3, vz=20.0)
    plain, smeared = (
        Detector.from_card(CARDS / f"{c}.tcl").run(muons, np.arange(n)) for c in ("cms", "cms_tracking")
    )
    assert smeared.px.tolist() == pytest.approx(plain.px.tolist())
    assert np.unique(smeared.d0_err).tolist() == [0.0191]
    assert np.unique(smeared.dz_err).tolist() == [0.0382]
    for name in ("d0", "dz"):
        pull = (getattr(smeared, name) - getattr(plain, name)) / getattr(smeared, f"{name}_err")
        assert abs(pull.mean()) < 4 / np.sqrt(n)
        assert pull.std() == pytest.approx(1, abs=4 / np.sqrt(2 * n))
    assert (plain.d0_err == 0).all()
    assert plain.origin.tolist() == [0] * len(plain.px)


ONE_SMEARING = """
set ExecutionPath {ParticlePropagator Smearing EFlowMerger}
module ParticlePropagator ParticlePropagator {set Radius 1.29; set HalfLength 3; set Bz 3.8}
module %s Smearing {
  set InputArray ParticlePropagator/muons
  set OutputArray tracks
  %s
}
module Merger EFlowMerger {
  add InputArray Smearing/tracks
  set OutputArray eflow
}
"""


FIVE = """
  set D0ResolutionFormula { 0.02 }
  set DZResolutionFormula { 0.03 * pt / 50 }
  set PResolutionFormula { 0.01 }
  set CtgThetaResolutionFormula { 0.001 }
  set PhiResolutionFormula { 0.002 }
"""


def test_all_five_track_parameters(tmp_path):
    """DELPHES_PILEUP, section 3: five independent normal numbers; P is relative, the others absolute."""
    n, card = 20_000, tmp_path / "card.tcl"
    muons = gun(13, [50.0] * n, [0.5] * n, [1.0] * n)
    card.write_text(ONE_SMEARING % ("TrackSmearing", FIVE))
    found = Detector.from_card(card).run(muons, np.arange(n))
    slope = found.pz / found.pt
    p = found.pt * np.hypot(1, slope)
    measured = (found.d0, found.dz, p / (50 * np.cosh(0.5)), slope - np.sinh(0.5), found.phi - 1.0)
    assert np.abs(np.corrcoef(measured) - np.eye(5)).max() < 4 / np.sqrt(n)
    for values, mean, spread in zip(measured, (0, 0, 1, 0, 0), (0.02, 0.03, 0.01, 0.001, 0.002), strict=True):
        assert values.mean() == pytest.approx(mean, abs=4 * spread / np.sqrt(n))
        assert values.std() == pytest.approx(spread, rel=4 / np.sqrt(2 * n))
    assert found.energy == pytest.approx(np.hypot(p, 0.10566))


def test_tracks_with_a_negative_resolution_are_lost(tmp_path):
    card = tmp_path / "card.tcl"
    card.write_text(ONE_SMEARING % ("TrackSmearing", FIVE.replace("{ 0.02 }", "{ (pt < 20) * 0.02 - (pt > 20) }")))
    found = Detector.from_card(card).run(gun(13, [10.0, 50.0], [0.5, 0.5]), [1, 2])
    assert np.diff(found.offsets).tolist() == [1, 0]


def test_impact_parameter_smearing(tmp_path):
    """DELPHES_PILEUP, section 4: the formula of the LHCb card, 0.0116 + 0.0234 / pT mm."""
    n, card = 20_000, tmp_path / "card.tcl"
    card.write_text(ONE_SMEARING % ("ImpactParameterSmearing", "set ResolutionFormula { 0.0116 + 0.0234/pt }"))
    found = Detector.from_card(card).run(gun(13, [10.0] * n, [0.5] * n), np.arange(n))
    assert found.d0.std() == pytest.approx(0.01394, rel=4 / np.sqrt(2 * n))
    assert found.d0_err == pytest.approx(0.01394)
    assert found.dz_err.max() == 0


def test_vertices_of_tracks_carry_their_impact_parameters(recording):
    found = Detector.from_card(CARDS / "cms_tracking.tcl").run(recording.particles, np.arange(100))
    d0, dz = impact_parameters(found)
    assert d0 == pytest.approx(found.d0, abs=1e-9)
    assert dz == pytest.approx(found.dz, abs=1e-6)
    assert (found.d0[found.charge == 0] == 0).all()


def test_smeared_energies_scatter_by_the_formula():
    n = 20_000
    shot = Objects.of(event=np.arange(n), item=np.zeros(n, np.int64), pt=np.full(n, 30.0), energy=np.full(n, 50.0))
    shot = replace(shot, slope=np.full(n, 4 / 3), outer_eta=np.full(n, 1.1))
    module = CardModule(Path("card.tcl"), "EnergySmearing", "E", 1, {"ResolutionFormula": "0.1 * energy"}, {})
    (found,) = EnergySmearing.from_card(module).run(shot, stream=Stream.of(np.arange(n).astype(np.uint64), "E"))
    assert found.energy.mean() == pytest.approx(50, abs=4 * 5 / np.sqrt(n))
    assert found.energy.std() == pytest.approx(5, rel=4 / np.sqrt(2 * n))
    assert found.pt == pytest.approx(found.energy * 0.6)
    assert found.resolution == pytest.approx(0.1 * found.energy / 50)
