# A perfect detector of the acceptance of cms.tcl: every track inside, exact momenta and energies, the same towers.

set ExecutionPath {
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
  EFlowMerger
  TreeWriter
}

# The solenoid: radius and half length in m, field in T.
module ParticlePropagator ParticlePropagator {
  set InputArray Delphes/stableParticles
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
    (abs(eta) <= 2.5) * (pt > 0.1)
  }
}

module Efficiency ElectronTrackingEfficiency {
  set InputArray ParticlePropagator/electrons
  set OutputArray electrons
  set EfficiencyFormula {
    (abs(eta) <= 2.5) * (pt > 0.1)
  }
}

module Efficiency MuonTrackingEfficiency {
  set InputArray ParticlePropagator/muons
  set OutputArray muons
  set EfficiencyFormula {
    (abs(eta) <= 2.5) * (pt > 0.1)
  }
}

module MomentumSmearing ChargedHadronMomentumSmearing {
  set InputArray ChargedHadronTrackingEfficiency/chargedHadrons
  set OutputArray chargedHadrons
  set ResolutionFormula { 0.0 }
}

module MomentumSmearing ElectronMomentumSmearing {
  set InputArray ElectronTrackingEfficiency/electrons
  set OutputArray electrons
  set ResolutionFormula { 0.0 }
}

module MomentumSmearing MuonMomentumSmearing {
  set InputArray MuonTrackingEfficiency/muons
  set OutputArray muons
  set ResolutionFormula { 0.0 }
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
  # 1 MeV, so that rounding errors are no candidates.
  set EnergyMin 0.001
  set EnergySignificanceMin 0.0
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

  set ResolutionFormula { 0.0 }
}

module SimpleCalorimeter HCal {
  set ParticleInputArray ParticlePropagator/stableParticles
  set TrackInputArray ECal/eflowTracks
  set TowerOutputArray hcalTowers
  set EFlowTrackOutputArray eflowTracks
  set EFlowTowerOutputArray eflowNeutralHadrons
  set IsEcal false
  set EnergyMin 0.001
  set EnergySignificanceMin 0.0
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

  set ResolutionFormula { 0.0 }
}

# The candidates.
module Merger EFlowMerger {
  add InputArray HCal/eflowTracks
  add InputArray ECal/eflowPhotons
  add InputArray HCal/eflowNeutralHadrons
  set OutputArray eflow
}

# What Delphes itself writes.
module TreeWriter TreeWriter {
  add Branch Delphes/allParticles Particle GenParticle
  add Branch HCal/eflowTracks EFlowTrack Track
  add Branch ECal/eflowPhotons EFlowPhoton Tower
  add Branch HCal/eflowNeutralHadrons EFlowNeutralHadron Tower
}
