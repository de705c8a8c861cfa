# CMS with pile-up and PUPPI (pile-up per particle identification).
#
# Parameters as published with Delphes 3.5 (J. de Favereau et al., JHEP 02 (2014) 057) for CMS with pile-up.
# PUPPI as CMS cards for a mean of 50 have it: ranges of |eta| with and without tracks, a cone of 0.4.
# resim runs the modules that shape particle-flow candidates; real Delphes runs the card as it is.

set ExecutionPath {
  PileUpMerger
  ParticlePropagator
  ChargedHadronTrackingEfficiency
  ElectronTrackingEfficiency
  MuonTrackingEfficiency
  ChargedHadronMomentumSmearing
  ElectronMomentumSmearing
  MuonMomentumSmearing
  TrackMerger
  ECal
  HCal
  TrackPileUpSubtractor
  NeutralEFlowMerger
  EFlowMerger
  HadronTrackFilter
  LeptonTrackFilter
  RunPUPPIBase
  RunPUPPIMerger
  RunPUPPI
  TreeWriter
}

# In-time pile-up: a Poisson number of minimum-bias events, with vertices spread in z (m) and t (s).
module PileUpMerger PileUpMerger {
  set InputArray Delphes/stableParticles
  set ParticleOutputArray stableParticles
  set VertexOutputArray vertices
  set PileUpFile MinBias.pileup
  set MeanPileUp 50
  set ZVertexSpread 0.25
  set TVertexSpread 800e-12
  set VertexDistributionFormula { exp(-t^2/(2*(160e-12)^2)) * exp(-z^2/(2*0.053^2)) }
}

# The solenoid: radius and half length in m, field in T.
module ParticlePropagator ParticlePropagator {
  set InputArray PileUpMerger/stableParticles
  set OutputArray stableParticles
  set ChargedHadronOutputArray chargedHadrons
  set ElectronOutputArray electrons
  set MuonOutputArray muons
  set Radius 1.29
  set HalfLength 3.00
  set Bz 3.8
}

# Probability to find a track, by pT in GeV and eta where it leaves the tracker.
module Efficiency ChargedHadronTrackingEfficiency {
  set InputArray ParticlePropagator/chargedHadrons
  set OutputArray chargedHadrons
  set EfficiencyFormula {
    (abs(eta) <= 1.5)                   * (pt > 0.1 && pt <= 1.0) * 0.70 +
    (abs(eta) <= 1.5)                   * (pt > 1.0)              * 0.95 +
    (abs(eta) > 1.5 && abs(eta) <= 2.5) * (pt > 0.1 && pt <= 1.0) * 0.60 +
    (abs(eta) > 1.5 && abs(eta) <= 2.5) * (pt > 1.0)              * 0.85
  }
}

module Efficiency ElectronTrackingEfficiency {
  set InputArray ParticlePropagator/electrons
  set OutputArray electrons
  set EfficiencyFormula {
    (abs(eta) <= 1.5)                   * (pt > 0.1 && pt <= 1.0)   * 0.73 +
    (abs(eta) <= 1.5)                   * (pt > 1.0 && pt <= 100.0) * 0.95 +
    (abs(eta) <= 1.5)                   * (pt > 100.0)              * 0.99 +
    (abs(eta) > 1.5 && abs(eta) <= 2.5) * (pt > 0.1 && pt <= 1.0)   * 0.50 +
    (abs(eta) > 1.5 && abs(eta) <= 2.5) * (pt > 1.0 && pt <= 100.0) * 0.83 +
    (abs(eta) > 1.5 && abs(eta) <= 2.5) * (pt > 100.0)              * 0.90
  }
}

module Efficiency MuonTrackingEfficiency {
  set InputArray ParticlePropagator/muons
  set OutputArray muons
  set EfficiencyFormula {
    (abs(eta) <= 1.5)                   * (pt > 0.1 && pt <= 1.0)    * 0.75 +
    (abs(eta) <= 1.5)                   * (pt > 1.0 && pt <= 1000.0) * 0.99 +
    (abs(eta) <= 1.5)                   * (pt > 1000.0)              * 0.99 * exp(0.5 - 5.0e-4*pt) +
    (abs(eta) > 1.5 && abs(eta) <= 2.5) * (pt > 0.1 && pt <= 1.0)    * 0.70 +
    (abs(eta) > 1.5 && abs(eta) <= 2.5) * (pt > 1.0 && pt <= 1000.0) * 0.98 +
    (abs(eta) > 1.5 && abs(eta) <= 2.5) * (pt > 1000.0)              * 0.98 * exp(0.5 - 5.0e-4*pt)
  }
}

# Relative resolution of pT.
module MomentumSmearing ChargedHadronMomentumSmearing {
  set InputArray ChargedHadronTrackingEfficiency/chargedHadrons
  set OutputArray chargedHadrons
  set ResolutionFormula {
    (abs(eta) <= 0.5)                   * sqrt(0.06^2 + (pt*1.3e-3)^2) +
    (abs(eta) > 0.5 && abs(eta) <= 1.5) * sqrt(0.10^2 + (pt*1.7e-3)^2) +
    (abs(eta) > 1.5 && abs(eta) <= 2.5) * sqrt(0.25^2 + (pt*3.1e-3)^2)
  }
}

module MomentumSmearing ElectronMomentumSmearing {
  set InputArray ElectronTrackingEfficiency/electrons
  set OutputArray electrons
  set ResolutionFormula {
    (abs(eta) <= 0.5)                   * sqrt(0.03^2 + (pt*1.3e-3)^2) +
    (abs(eta) > 0.5 && abs(eta) <= 1.5) * sqrt(0.05^2 + (pt*1.7e-3)^2) +
    (abs(eta) > 1.5 && abs(eta) <= 2.5) * sqrt(0.15^2 + (pt*3.1e-3)^2)
  }
}

module MomentumSmearing MuonMomentumSmearing {
  set InputArray MuonTrackingEfficiency/muons
  set OutputArray muons
  set ResolutionFormula {
    (abs(eta) <= 0.5)                   * sqrt(0.01^2 + (pt*1.0e-4)^2) +
    (abs(eta) > 0.5 && abs(eta) <= 1.5) * sqrt(0.015^2 + (pt*1.5e-4)^2) +
    (abs(eta) > 1.5 && abs(eta) <= 2.5) * sqrt(0.025^2 + (pt*3.5e-4)^2)
  }
}

module Merger TrackMerger {
  add InputArray ChargedHadronMomentumSmearing/chargedHadrons
  add InputArray ElectronMomentumSmearing/electrons
  add InputArray MuonMomentumSmearing/muons
  set OutputArray tracks
}

# Every eta edge comes with the phi edges of the towers below it.
module SimpleCalorimeter ECal {
  set ParticleInputArray ParticlePropagator/stableParticles
  set TrackInputArray TrackMerger/tracks
  set TowerOutputArray ecalTowers
  set EFlowTrackOutputArray eflowTracks
  set EFlowTowerOutputArray eflowPhotons
  set IsEcal true
  set EnergyMin 0.5
  set EnergySignificanceMin 2.0
  set SmearTowerCenter true
  set pi [expr {acos(-1)}]

  # |eta| < 2.958: 0.0174 x 1 degree
  set PhiBins {}
  for {set k -180} {$k <= 180} {incr k} { add PhiBins [expr {$k * $pi / 180.0}] }
  for {set k -169} {$k <= 170} {incr k} { add EtaPhiBins [expr {$k * 0.0174}] $PhiBins }

  # forward: 10 degrees
  set PhiBins {}
  for {set k -18} {$k <= 18} {incr k} { add PhiBins [expr {$k * $pi / 18.0}] }
  foreach eta {
    -5 -4.7 -4.525 -4.35 -4.175 -4 -3.825 -3.65 -3.475 -3.3 -3.125 -2.958
    3.125 3.3 3.475 3.65 3.825 4 4.175 4.35 4.525 4.7 5
  } { add EtaPhiBins $eta $PhiBins }

  # electrons, photons, pi0; K0S and Lambda share; everything else (0) leaves nothing
  add EnergyFraction {0} {0.0}
  foreach id {11 22 111} { add EnergyFraction $id {1.0} }
  foreach id {310 3122} { add EnergyFraction $id {0.3} }
  foreach id {12 13 14 16 1000022 1000023 1000025 1000035 1000045} { add EnergyFraction $id {0.0} }

  set ResolutionFormula {
    (abs(eta) <= 1.5) * (1 + 0.64*eta^2) * sqrt((0.008*energy)^2 + 0.11^2*energy + 0.40^2) +
    (abs(eta) > 1.5 && abs(eta) <= 2.5) * (2.16 + 5.6*(abs(eta) - 2)^2)
      * sqrt((0.008*energy)^2 + 0.11^2*energy + 0.40^2) +
    (abs(eta) > 2.5 && abs(eta) <= 5.0) * sqrt((0.107*energy)^2 + 2.08^2*energy)
  }
}

module SimpleCalorimeter HCal {
  set ParticleInputArray ParticlePropagator/stableParticles
  set TrackInputArray ECal/eflowTracks
  set TowerOutputArray hcalTowers
  set EFlowTrackOutputArray eflowTracks
  set EFlowTowerOutputArray eflowNeutralHadrons
  set IsEcal false
  set EnergyMin 1.0
  set EnergySignificanceMin 2.0
  set SmearTowerCenter true
  set pi [expr {acos(-1)}]

  # |eta| < 1.653: 0.087 x 5 degrees
  set PhiBins {}
  for {set k -36} {$k <= 36} {incr k} { add PhiBins [expr {$k * $pi / 36.0}] }
  for {set k -18} {$k <= 19} {incr k} { add EtaPhiBins [expr {$k * 0.087}] $PhiBins }

  # up to 4.525: 10 degrees
  set PhiBins {}
  for {set k -18} {$k <= 18} {incr k} { add PhiBins [expr {$k * $pi / 18.0}] }
  foreach eta {
    -4.35 -4.175 -4 -3.825 -3.65 -3.475 -3.3 -3.125 -2.95 -2.868 -2.65 -2.5 -2.322 -2.172 -2.043 -1.93 -1.83 -1.74 -1.653
    1.74 1.83 1.93 2.043 2.172 2.322 2.5 2.65 2.868 2.95 3.125 3.3 3.475 3.65 3.825 4 4.175 4.35 4.525
  } { add EtaPhiBins $eta $PhiBins }

  # up to 5: 20 degrees
  set PhiBins {}
  for {set k -9} {$k <= 9} {incr k} { add PhiBins [expr {$k * $pi / 9.0}] }
  foreach eta {-5 -4.7 -4.525 4.7 5} { add EtaPhiBins $eta $PhiBins }

  # every particle (0) but electrons, photons, pi0, muons and what is invisible; K0S and Lambda share
  add EnergyFraction {0} {1.0}
  foreach id {11 22 111 12 13 14 16 1000022 1000023 1000025 1000035 1000045} { add EnergyFraction $id {0.0} }
  foreach id {310 3122} { add EnergyFraction $id {0.7} }

  set ResolutionFormula {
    (abs(eta) <= 3.0) * sqrt((0.050*energy)^2 + 1.50^2*energy) +
    (abs(eta) > 3.0 && abs(eta) <= 5.0) * sqrt((0.130*energy)^2 + 2.70^2*energy)
  }
}

# Marks the tracks of another vertex that is farther than this (m) from the hard one.
module TrackPileUpSubtractor TrackPileUpSubtractor {
  add InputArray HCal/eflowTracks eflowTracks
  set VertexInputArray PileUpMerger/vertices
  set ZVertexResolution 0.0001
  set PTMin 0.0
}

module Merger NeutralEFlowMerger {
  add InputArray ECal/eflowPhotons
  add InputArray HCal/eflowNeutralHadrons
  set OutputArray eflowTowers
}

# All particles, pile-up included.
module Merger EFlowMerger {
  add InputArray HCal/eflowTracks
  add InputArray ECal/eflowPhotons
  add InputArray HCal/eflowNeutralHadrons
  set OutputArray eflow
}

# Leptons take no part in PUPPI.
module PdgCodeFilter HadronTrackFilter {
  set InputArray HCal/eflowTracks
  set OutputArray tracks
  foreach id {11 -11 13 -13} { add PdgCode $id }
}

module PdgCodeFilter LeptonTrackFilter {
  set InputArray HCal/eflowTracks
  set OutputArray tracks
  set Invert true
  foreach id {11 -11 13 -13} { add PdgCode $id }
}

# One column for each range of |eta|. MetricId 5: log of the sum of (pT/R)^2 over the tracks of the hard vertex in the cone.
module RunPUPPI RunPUPPIBase {
  set TrackInputArray HadronTrackFilter/tracks
  set NeutralInputArray NeutralEFlowMerger/eflowTowers
  set PVInputArray PileUpMerger/vertices
  set MinPuppiWeight 0.05
  set UseExp false
  set UseNoLep false

  add EtaMinBin         0.0   2.5
  add EtaMaxBin         2.5   10.0
  add PtMinBin          0.0   0.0
  add ConeSizeBin       0.4   0.4
  add RMSPtMinBin       0.1   0.5
  add RMSScaleFactorBin 1.0   1.0
  add NeutralMinEBin    0.2   0.2
  add NeutralPtSlope    0.006 0.013
  add ApplyCHS          true  true
  add UseCharged        true  true
  add ApplyLowPUCorr    true  true
  add MetricId          5     5
  add CombId            0     0

  set OutputArray PuppiParticles
  set OutputArrayTracks puppiTracks
  set OutputArrayNeutrals puppiNeutrals
}

module Merger RunPUPPIMerger {
  add InputArray RunPUPPIBase/PuppiParticles
  add InputArray LeptonTrackFilter/tracks
  set OutputArray PuppiParticles
}

# The candidates: without leptons of pile-up.
module RecoPuFilter RunPUPPI {
  set InputArray RunPUPPIMerger/PuppiParticles
  set OutputArray PuppiParticles
}

# What Delphes itself writes.
module TreeWriter TreeWriter {
  add Branch Delphes/allParticles Particle GenParticle
  add Branch RunPUPPI/PuppiParticles ParticleFlowCandidate ParticleFlowCandidate
}
