"""Calorimeters of one and of two sections."""

from pathlib import Path

import numpy as np
import pytest

from resim.common.ragged import offsets_of
from resim.detector import Detector
from resim.particles import Particles
from tests.helpers.particles import gun

ROOT = Path(__file__).parents[3]


CARDS = ROOT / "cards/delphes"


def test_the_ideal_detector_conserves_energy(recording):
    """Everything that reaches |eta| <= 5 is a candidate, and tracks are what was generated."""
    ideal = Detector.from_card(CARDS / "ideal.tcl")
    particles = recording.particles
    found = ideal.run(particles, np.arange(100))
    reaches = np.isfinite(recording.outer_eta) & (np.abs(recording.outer_eta) <= 5) & particles.visible
    reaches &= (np.abs(particles.pdg_id) != 13) | (np.abs(recording.outer_eta) <= 2.5)
    event = np.repeat(np.arange(100), np.diff(particles.offsets))
    expected = np.bincount(event[reaches], particles.energy[reaches], minlength=100)
    energy = np.bincount(np.repeat(np.arange(100), np.diff(found.offsets)), found.energy, minlength=100)
    assert energy == pytest.approx(expected, rel=1e-4)
    track = found.charge != 0
    start = np.repeat(particles.offsets[:-1], np.diff(found.offsets))[track]
    assert found.pt[track] == pytest.approx(particles.pt[start + found.origin[track]], rel=1e-9)


TWO_SECTIONS = """
set ExecutionPath {ParticlePropagator Found Calo EFlowMerger}
module ParticlePropagator ParticlePropagator {set Radius 1.29; set HalfLength 3; set Bz 0}
module Merger Found {
  add InputArray ParticlePropagator/chargedHadrons ParticlePropagator/electrons
  set OutputArray tracks
}
module Calorimeter Calo {
  set ParticleInputArray ParticlePropagator/stableParticles
  set TrackInputArray Found/tracks
  foreach p {ECal HCal} { set ${p}EnergyMin 0.5; set ${p}EnergySignificanceMin 0 }
  set SmearTowerCenter %s
  foreach eta {-1 0 1} { add EtaPhiBins $eta {-3.14159265358979 0 3.14159265358979} }
  add EnergyFraction {0} {0.0 1.0}
  add EnergyFraction {22} {1.0 0.0}
  add EnergyFraction {11} {1.0 0.0}
  add EnergyFraction {321} {0.4 0.6}
  set ECalResolutionFormula { 0.0 }
  set HCalResolutionFormula { 0.0 }
}
module Merger EFlowMerger {
  add InputArray Calo/eflowTracks Calo/eflowPhotons Calo/eflowNeutralHadrons
  set OutputArray eflow
}
"""


def merged(*parts: Particles) -> Particles:
    columns = {n: np.concatenate([getattr(p, n) for p in parts]) for n in Particles.__slots__ if n != "offsets"}
    return Particles(offsets=offsets_of([len(columns["px"])]), **columns)


def test_two_sections_share_towers_and_directions(tmp_path):
    """Photon and neutral hadron in one tower: two candidates in one direction; a pion keeps the HCal to itself."""
    card = tmp_path / "two.tcl"
    card.write_text(TWO_SECTIONS % "true")
    detector = Detector.from_card(card)
    particles = merged(gun(22, [10.0], [0.5], [1.0]), gun(130, [20.0], [0.6], [2.0]), gun(211, [5.0], [-0.5], [-1.0]))
    found = detector.run(particles, [3])
    assert found.pdg_id.tolist() == [211, 22, 0]
    assert found.energy == pytest.approx(particles.energy[[2, 0, 1]])
    assert (found.eta[1], found.phi[1]) == pytest.approx((found.eta[2], found.phi[2]))
    card.write_text(TWO_SECTIONS % "false")
    middle = Detector.from_card(card).run(particles, [3])
    assert (middle.eta[1], middle.phi[1]) == pytest.approx((0.5, np.pi / 2))


def test_tracks_that_leave_energy_in_both_sections_are_lost_as_in_delphes(tmp_path):
    card = tmp_path / "two.tcl"
    card.write_text(TWO_SECTIONS % "true")
    kaon = gun(321, [10.0], [0.5], charge=1.0)
    found = Detector.from_card(card).run(kaon, [1])
    assert found.pdg_id.tolist() == [22, 0]
    assert found.energy == pytest.approx(kaon.energy * [0.4, 0.6])
