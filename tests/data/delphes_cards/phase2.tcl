set ExecutionPath {
  PileUpMerger
  ParticlePropagator
  TrackMergerProp
  DenseProp
  DenseMergeTracks
  DenseTrackFilter
  ChargedHadronTrackingEfficiency
  ElectronTrackingEfficiency
  MuonTrackingEfficiency
  ChargedHadronMomentumSmearing
  ElectronEnergySmearing
  MuonMomentumSmearing
  TrackMerger
  ECal
  HCal
  PhotonEnergySmearing
  ElectronFilter
  TrackPileUpSubtractor
  RecoPuFilter
  NeutralEFlowMerger
  EFlowMerger
  EFlowMergerCHS
  Rho
  LeptonFilterNoLep
  LeptonFilterLep
  RunPUPPIBase
  RunPUPPIMerger
  RunPUPPI
  ElectronFilter
  FastJetFinderPUPPI
}
module PileUpMerger PileUpMerger {
  set InputArray Delphes/stableParticles
  set ParticleOutputArray stableParticles
  set VertexOutputArray vertices
  set PileUpFile /nowhere/MinBias.pileup
  set MeanPileUp 60
  set ZVertexSpread 0.2
  set TVertexSpread 700E-12
  set VertexDistributionFormula {exp(-(t^2/150e-12^2/2))*exp(-(z^2/0.05^2/2))}
}
module ParticlePropagator ParticlePropagator {
  set InputArray PileUpMerger/stableParticles
  set NeutralOutputArray neutralParticles
  set Radius 1.3
  set HalfLength 3.1
  set Bz 3.5
}
module Merger TrackMergerProp {
  add InputArray ParticlePropagator/chargedHadrons
  add InputArray ParticlePropagator/electrons
  add InputArray ParticlePropagator/muons
  set OutputArray tracks
}
module ParticlePropagator DenseProp {
  set InputArray TrackMergerProp/tracks
  set Radius 0.25
  set RadiusMax 1.3
  set HalfLength 0.6
  set HalfLengthMax 3.1
  set Bz 3.5
}
module Merger DenseMergeTracks {
  add InputArray DenseProp/chargedHadrons
  add InputArray DenseProp/electrons
  add InputArray DenseProp/muons
  set OutputArray tracks
}
module DenseTrackFilter DenseTrackFilter {
  set TrackInputArray DenseMergeTracks/tracks
  set EtaPhiRes 0.004
  set EtaMax 3.5
  set pi [expr {acos(-1)}]
  set nbins_phi [expr {int($pi/$EtaPhiRes)}]
  set PhiBins {}
  for {set i -$nbins_phi} {$i <= $nbins_phi} {incr i} { add PhiBins [expr {$i * $pi/$nbins_phi}] }
  set nbins_eta [expr {int($EtaMax/$EtaPhiRes)}]
  for {set i -$nbins_eta} {$i <= $nbins_eta} {incr i} { add EtaPhiBins [expr {$i * $EtaPhiRes}] $PhiBins }
}
module Efficiency ChargedHadronTrackingEfficiency {
  set InputArray DenseTrackFilter/chargedHadrons
  set OutputArray chargedHadrons
  set EfficiencyFormula {(pt > 0.3) * (abs(eta) <= 3.5) * (0.9) + \
    (pt <= 0.3) * (0.00)}
}
module Efficiency ElectronTrackingEfficiency {
  set InputArray DenseTrackFilter/electrons
  set OutputArray electrons
  set EfficiencyFormula {(pt > 0.3) * (abs(eta) <= 3.5) * (0.9)}
}
module Efficiency MuonTrackingEfficiency {
  set InputArray DenseTrackFilter/muons
  set OutputArray muons
  set EfficiencyFormula {(pt > 0.3) * (abs(eta) <= 3.5) * (0.95)}
}
module MomentumSmearing ChargedHadronMomentumSmearing {
  set InputArray ChargedHadronTrackingEfficiency/chargedHadrons
  set OutputArray chargedHadrons
  set ResolutionFormula {0.01 + 0.0001*pt}
}
module EnergySmearing ElectronEnergySmearing {
  set InputArray ElectronTrackingEfficiency/electrons
  set OutputArray electrons
  set ResolutionFormula {(abs(eta) <= 3.5) * (energy*0.03)}
}
module MomentumSmearing MuonMomentumSmearing {
  set InputArray MuonTrackingEfficiency/muons
  set OutputArray muons
  set ResolutionFormula {0.01}
}
module Merger TrackMerger {
  add InputArray ChargedHadronMomentumSmearing/chargedHadrons
  add InputArray ElectronEnergySmearing/electrons
  add InputArray MuonMomentumSmearing/muons
  set OutputArray tracks
}
module SimpleCalorimeter ECal {
  set ParticleInputArray ParticlePropagator/stableParticles
  set TrackInputArray TrackMerger/tracks
  set EFlowTrackOutputArray eflowTracks
  set EFlowTowerOutputArray eflowPhotons
  set IsEcal true
  set EnergyMin 0.4
  set EnergySignificanceMin 1.5
  set PhiBins {}
  for {set i -60} {$i <= 60} {incr i} { add PhiBins [expr {$i * acos(-1)/60.0}] }
  for {set i -80} {$i <= 80} {incr i} { add EtaPhiBins [expr {$i * 0.05}] $PhiBins }
  add EnergyFraction {0} {0.0}
  foreach id {11 22 111} { add EnergyFraction $id {1.0} }
  foreach id {12 13 14 16} { add EnergyFraction $id {0.0} }
  set ResolutionFormula {sqrt(energy^2*0.01^2 + energy*0.15^2)}
}
module SimpleCalorimeter HCal {
  set ParticleInputArray ParticlePropagator/stableParticles
  set TrackInputArray ECal/eflowTracks
  set EFlowTrackOutputArray eflowTracks
  set EFlowTowerOutputArray eflowNeutralHadrons
  set IsEcal false
  set EnergyMin 0.8
  set EnergySignificanceMin 1.0
  set PhiBins {}
  for {set i -30} {$i <= 30} {incr i} { add PhiBins [expr {$i * acos(-1)/30.0}] }
  for {set i -40} {$i <= 40} {incr i} { add EtaPhiBins [expr {$i * 0.1}] $PhiBins }
  add EnergyFraction {0} {1.0}
  foreach id {11 22 111 12 13 14 16} { add EnergyFraction $id {0.0} }
  set ResolutionFormula {sqrt(energy^2*0.05^2 + energy*1.1^2)}
}
module EnergySmearing PhotonEnergySmearing {
  set InputArray ECal/eflowPhotons
  set OutputArray eflowPhotons
  set ResolutionFormula {energy*0.02}
}
module PdgCodeFilter ElectronFilter {
  set InputArray HCal/eflowTracks
  set OutputArray electrons
  set Invert true
  add PdgCode {11}
  add PdgCode {-11}
}
module TrackPileUpSubtractor TrackPileUpSubtractor {
  add InputArray HCal/eflowTracks eflowTracks
  add InputArray ElectronFilter/electrons electrons
  add InputArray MuonMomentumSmearing/muons muons
  set VertexInputArray PileUpMerger/vertices
  set ZVertexResolution {0.0002}
}
module RecoPuFilter RecoPuFilter {
  set InputArray HCal/eflowTracks
  set OutputArray eflowTracks
}
module Merger NeutralEFlowMerger {
  add InputArray PhotonEnergySmearing/eflowPhotons
  add InputArray HCal/eflowNeutralHadrons
  set OutputArray eflowTowers
}
module Merger EFlowMerger {
  add InputArray HCal/eflowTracks
  add InputArray PhotonEnergySmearing/eflowPhotons
  add InputArray HCal/eflowNeutralHadrons
  set OutputArray eflow
}
module Merger EFlowMergerCHS {
  add InputArray RecoPuFilter/eflowTracks
  add InputArray PhotonEnergySmearing/eflowPhotons
  add InputArray HCal/eflowNeutralHadrons
  set OutputArray eflow
}
module FastJetGridMedianEstimator Rho { set InputArray EFlowMergerCHS/eflow }
module PdgCodeFilter LeptonFilterNoLep {
  set InputArray HCal/eflowTracks
  set OutputArray eflowTracksNoLeptons
  set Invert false
  foreach id {13 -13 11 -11} { add PdgCode $id }
}
module PdgCodeFilter LeptonFilterLep {
  set InputArray HCal/eflowTracks
  set OutputArray eflowTracksLeptons
  set Invert true
  foreach id {13 -13 11 -11} { add PdgCode $id }
}
module RunPUPPI RunPUPPIBase {
  set TrackInputArray   LeptonFilterNoLep/eflowTracksNoLeptons
  set NeutralInputArray NeutralEFlowMerger/eflowTowers
  set PVInputArray      PileUpMerger/vertices
  set MinPuppiWeight    0.04
  set UseExp            false
  set UseNoLep          false
  add EtaMinBin           0.0   1.4   3.5
  add EtaMaxBin           1.4   3.5   8.0
  add PtMinBin            0.0   0.0   0.0
  add ConeSizeBin         0.3   0.3   0.3
  add RMSPtMinBin         0.2   0.4   0.4
  add RMSScaleFactorBin   1.0   1.0   1.1
  add NeutralMinEBin      0.3   0.3   0.6
  add NeutralPtSlope      0.005 0.012 0.05
  add ApplyCHS            true  true  true
  add UseCharged          true  true  false
  add ApplyLowPUCorr      true  true  true
  add MetricId            5     5     5
  add CombId              0     0     0
  set OutputArray         PuppiParticles
}
module Merger RunPUPPIMerger {
  add InputArray RunPUPPIBase/PuppiParticles
  add InputArray LeptonFilterLep/eflowTracksLeptons
  set OutputArray PuppiParticles
}
module RecoPuFilter RunPUPPI {
  set InputArray RunPUPPIMerger/PuppiParticles
  set OutputArray PuppiParticles
}
module FastJetFinder FastJetFinderPUPPI { set InputArray RunPUPPI/PuppiParticles }
