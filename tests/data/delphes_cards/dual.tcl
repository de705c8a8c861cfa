set ExecutionPath {ParticlePropagator Found Smeared TrackMerger ForwardLooperTracks Calorimeter EFlowTrackMerger EFlowMerger}
module ParticlePropagator ParticlePropagator {
  set InputArray Delphes/stableParticles
  set Radius 1.4
  set HalfLength 4
  set Bz 3.9
}
module Efficiency Found {
  set InputArray ParticlePropagator/chargedHadrons
  set OutputArray chargedHadrons
  set UseMomentumVector true
  set EfficiencyFormula {
    0.9 * (
      (pt <= 0.2) * (0.00) +
      0.97 * ((abs(eta) <= 5.0) * (pt > 0.2))
    )
  }
}
module MomentumSmearing Smeared {
  set InputArray Found/chargedHadrons
  set OutputArray chargedHadrons
  set ResolutionFormula {0.02}
}
module Merger TrackMerger {
  add InputArray Smeared/chargedHadrons
  add InputArray ParticlePropagator/electrons
  add InputArray ParticlePropagator/muons
  set OutputArray tracks
}
module Efficiency ForwardLooperTracks {
  set InputArray TrackMerger/tracks
  set OutputArray tracks
  set UseMomentumVector False
  set EfficiencyFormula {(abs(eta) > 3.0) * (1.000) + (abs(eta) <= 3.0) * (0.000)}
}
module DualReadoutCalorimeter Calorimeter {
  set ParticleInputArray ParticlePropagator/stableParticles
  set TrackInputArray TrackMerger/tracks
  set TowerOutputArray towers
  set PhotonOutputArray photons
  set EFlowTrackOutputArray eflowTracks
  set EFlowPhotonOutputArray eflowPhotons
  set EFlowNeutralHadronOutputArray eflowNeutralHadrons
  set ECalMinSignificance 1.8
  set HCalMinSignificance 2.2
  set SmearLogNormal false
  set SmearTowerCenter true
  set EtaPhiRes 0.03
  set EtaMax 3.0
  set pi [expr {acos(-1)}]
  set nbins_phi [expr {$pi/$EtaPhiRes}]
  set nbins_phi [expr {int($nbins_phi)}]
  set PhiBins {}
  for {set i -$nbins_phi} {$i <= $nbins_phi} {incr i} { add PhiBins [expr {$i * $pi/$nbins_phi}] }
  set nbins_eta [expr {int($EtaMax/$EtaPhiRes)}]
  for {set i -$nbins_eta} {$i <= $nbins_eta} {incr i} { add EtaPhiBins [expr {$i * $EtaPhiRes}] $PhiBins }
  add EnergyFraction {0} {0.0 1.0}
  foreach id {11 22 111} { add EnergyFraction $id {1.0 0.0} }
  foreach id {12 13 14 16} { add EnergyFraction $id {0.0 0.0} }
  foreach id {310 130 3122} { add EnergyFraction $id {0.3 0.7} }
  set ECalResolutionFormula {sqrt(energy^2*0.003^2 + energy*0.1^2 + 0.2^2)}
  set HCalResolutionFormula {sqrt(energy^2*0.02^2 + energy*0.4^2 + 0.06^2)}
}
module Merger EFlowTrackMerger {
  add InputArray Calorimeter/eflowTracks
  add InputArray ForwardLooperTracks/tracks
  set OutputArray eflowTracks
}
module Merger EFlowMerger {
  add InputArray EFlowTrackMerger/eflowTracks
  add InputArray Calorimeter/eflowPhotons
  add InputArray Calorimeter/eflowNeutralHadrons
  set OutputArray eflow
}
