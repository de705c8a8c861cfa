# "Data": the detector of cms_shifted.tcl, off by the amounts that it states, with pile-up and PUPPI as in cms_puppi.tcl.
#
# The amounts once more: efficiency for charged hadrons x 0.92; resolutions of d0 and dz x 1.3, of pT x 1.5, of energies x 1.2;
# energy scale of the ECAL x 0.98, of the HCAL x 0.95. Real Delphes does not run this card: its d0 and dz are absolute,
# with the spread of the hard vertex in them.

set ExecutionPath {
  PileUpMerger
  ParticlePropagator
  ChargedHadronTrackingEfficiency
  ElectronTrackingEfficiency
  MuonTrackingEfficiency
  ChargedHadronTrackSmearing
  ElectronTrackSmearing
  MuonTrackSmearing
  ChargedHadronMomentumSmearing
  ElectronMomentumSmearing
  MuonMomentumSmearing
  TrackMerger
  ECal
  HCal
  TrackPileUpSubtractor
  NeutralEFlowMerger
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
  set EfficiencyFormula { 0.92 * (
    (abs(eta) <= 1.5)                   * (pt > 0.1 && pt <= 1.0) * 0.70 +
    (abs(eta) <= 1.5)                   * (pt > 1.0)              * 0.95 +
    (abs(eta) > 1.5 && abs(eta) <= 2.5) * (pt > 0.1 && pt <= 1.0) * 0.60 +
    (abs(eta) > 1.5 && abs(eta) <= 2.5) * (pt > 1.0)              * 0.85)
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

# Resolutions of d0 and dz in mm, constant in bins of pT (GeV; lower edges, the last bin is open) and |eta|:
# CMS, arXiv:1405.6569, figure 15. Outside of the bins the parameters are exact and their errors 0.
set PtEdges {
  0.1823 0.2227 0.2720 0.3323 0.4060 0.4959 0.6058 0.7401 0.9041 1.1044 1.3492 1.6481 2.0134 2.4595 3.0045 3.6703 4.4837
  5.4772 6.6910 8.1737 9.9849 12.1976 14.9005 18.2024 22.2360 27.1635 33.1828 40.5360 49.5187 60.4919 73.8967 90.2720 110.2760 134.7130
}
set D0Barrel {
  0.3543 0.2809 0.2304 0.1917 0.1737 0.1434 0.1060 0.0893 0.0753 0.0670 0.0577 0.0524 0.0452 0.0376 0.0350 0.0324 0.0283
  0.0258 0.0237 0.0211 0.0191 0.0164 0.0150 0.0143 0.0130 0.0130 0.0116 0.0116 0.0110 0.0110 0.0110 0.0104 0.0109 0.0110
}
set D0Transition {
  0.4564 0.3580 0.3010 0.2353 0.2026 0.1595 0.1383 0.1119 0.0926 0.0816 0.0663 0.0553 0.0488 0.0431 0.0399 0.0357 0.0313
  0.0277 0.0233 0.0221 0.0214 0.0180 0.0155 0.0141 0.0128 0.0134 0.0121 0.0108 0.0101 0.0101 0.0101 0.0102 0.0088 0.0095
}
set D0Endcap {
  0.6970 0.6046 0.5315 0.4306 0.3398 0.2788 0.2387 0.1814 0.1557 0.1230 0.1009 0.0914 0.0767 0.0638 0.0544 0.0468 0.0425
  0.0385 0.0331 0.0278 0.0256 0.0236 0.0217 0.0196 0.0176 0.0165 0.0157 0.0150 0.0144 0.0144 0.0137 0.0130 0.0137 0.0137
}
set DZBarrel {
  0.3693 0.3135 0.3125 0.2578 0.2221 0.1936 0.1686 0.1351 0.1113 0.0983 0.0882 0.0786 0.0684 0.0615 0.0551 0.0516 0.0484
  0.0450 0.0416 0.0416 0.0382 0.0350 0.0317 0.0316 0.0316 0.0316 0.0348 0.0316 0.0316 0.0316 0.0284 0.0283 0.0315 0.0318
}
set DZTransition {
  0.7062 0.6010 0.5992 0.4959 0.3877 0.3199 0.2649 0.2518 0.1982 0.1587 0.1399 0.1199 0.1031 0.0967 0.0805 0.0736 0.0707
  0.0603 0.0609 0.0541 0.0511 0.0443 0.0409 0.0408 0.0409 0.0377 0.0375 0.0377 0.0342 0.0342 0.0343 0.0343 0.0309 0.0310
}
set DZEndcap {
  2.1717 2.0715 2.0679 1.7679 1.4393 1.1997 0.9800 0.8251 0.6695 0.5545 0.4366 0.3711 0.3319 0.2721 0.2443 0.2085 0.1816
  0.1641 0.1451 0.1317 0.1117 0.1020 0.1017 0.0983 0.0882 0.0847 0.0814 0.0784 0.0817 0.0750 0.0816 0.0820 0.0814 0.0850
}

# 1.3 times the sum of (bin) * resolution, as one formula each.
set AllD0 [list $D0Barrel $D0Transition $D0Endcap]
set AllDZ [list $DZBarrel $DZTransition $DZEndcap]
foreach parameter {D0 DZ} regions [list $AllD0 $AllDZ] {
  set formula {}
  set plus {}
  foreach low {0.0 0.9 1.4} high {0.9 1.4 2.5} values $regions {
    for {set i 0} {$i < [llength $PtEdges]} {incr i} {
      set bin "(abs(eta) > $low && abs(eta) <= $high) * (pt > [lindex $PtEdges $i])"
      if {$i + 1 < [llength $PtEdges]} { set bin "$bin * (pt <= [lindex $PtEdges [expr {$i + 1}]])" }
      set formula "$formula$plus$bin * [lindex $values $i]"
      set plus " + "
    }
  }
  set ${parameter}Formula "1.3 * ($formula)"
}

# Before the momenta are smeared, since TrackSmearing starts from the true momentum. Momenta and angles stay exact here.

module TrackSmearing ChargedHadronTrackSmearing {
  set InputArray ChargedHadronTrackingEfficiency/chargedHadrons
  set OutputArray chargedHadrons
  set Bz 3.8
  set D0ResolutionFormula $::D0Formula
  set DZResolutionFormula $::DZFormula
  set PResolutionFormula { 0.0 }
  set CtgThetaResolutionFormula { 0.0 }
  set PhiResolutionFormula { 0.0 }
}

module TrackSmearing ElectronTrackSmearing {
  set InputArray ElectronTrackingEfficiency/electrons
  set OutputArray electrons
  set Bz 3.8
  set D0ResolutionFormula $::D0Formula
  set DZResolutionFormula $::DZFormula
  set PResolutionFormula { 0.0 }
  set CtgThetaResolutionFormula { 0.0 }
  set PhiResolutionFormula { 0.0 }
}

module TrackSmearing MuonTrackSmearing {
  set InputArray MuonTrackingEfficiency/muons
  set OutputArray muons
  set Bz 3.8
  set D0ResolutionFormula $::D0Formula
  set DZResolutionFormula $::DZFormula
  set PResolutionFormula { 0.0 }
  set CtgThetaResolutionFormula { 0.0 }
  set PhiResolutionFormula { 0.0 }
}

# Relative resolution of pT.
module MomentumSmearing ChargedHadronMomentumSmearing {
  set InputArray ChargedHadronTrackSmearing/chargedHadrons
  set OutputArray chargedHadrons
  set ResolutionFormula { 1.5 * (
    (abs(eta) <= 0.5)                   * sqrt(0.06^2 + (pt*1.3e-3)^2) +
    (abs(eta) > 0.5 && abs(eta) <= 1.5) * sqrt(0.10^2 + (pt*1.7e-3)^2) +
    (abs(eta) > 1.5 && abs(eta) <= 2.5) * sqrt(0.25^2 + (pt*3.1e-3)^2))
  }
}

module MomentumSmearing ElectronMomentumSmearing {
  set InputArray ElectronTrackSmearing/electrons
  set OutputArray electrons
  set ResolutionFormula { 1.5 * (
    (abs(eta) <= 0.5)                   * sqrt(0.03^2 + (pt*1.3e-3)^2) +
    (abs(eta) > 0.5 && abs(eta) <= 1.5) * sqrt(0.05^2 + (pt*1.7e-3)^2) +
    (abs(eta) > 1.5 && abs(eta) <= 2.5) * sqrt(0.15^2 + (pt*3.1e-3)^2))
  }
}

module MomentumSmearing MuonMomentumSmearing {
  set InputArray MuonTrackSmearing/muons
  set OutputArray muons
  set ResolutionFormula { 1.5 * (
    (abs(eta) <= 0.5)                   * sqrt(0.01^2 + (pt*1.0e-4)^2) +
    (abs(eta) > 0.5 && abs(eta) <= 1.5) * sqrt(0.015^2 + (pt*1.5e-4)^2) +
    (abs(eta) > 1.5 && abs(eta) <= 2.5) * sqrt(0.025^2 + (pt*3.5e-4)^2))
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
  foreach id {11 22 111} { add EnergyFraction $id {0.98} }
  foreach id {310 3122} { add EnergyFraction $id {0.294} }
  foreach id {12 13 14 16 1000022 1000023 1000025 1000035 1000045} { add EnergyFraction $id {0.0} }

  set ResolutionFormula { 1.2 * (
    (abs(eta) <= 1.5) * (1 + 0.64*eta^2) * sqrt((0.008*energy)^2 + 0.11^2*energy + 0.40^2) +
    (abs(eta) > 1.5 && abs(eta) <= 2.5) * (2.16 + 5.6*(abs(eta) - 2)^2)
      * sqrt((0.008*energy)^2 + 0.11^2*energy + 0.40^2) +
    (abs(eta) > 2.5 && abs(eta) <= 5.0) * sqrt((0.107*energy)^2 + 2.08^2*energy))
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
  set EnergySignificanceMin 1.0
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
  add EnergyFraction {0} {0.95}
  foreach id {11 22 111 12 13 14 16 1000022 1000023 1000025 1000035 1000045} { add EnergyFraction $id {0.0} }
  foreach id {310 3122} { add EnergyFraction $id {0.665} }

  set ResolutionFormula { 1.2 * (
    (abs(eta) <= 3.0) * sqrt((0.050*energy)^2 + 1.50^2*energy) +
    (abs(eta) > 3.0 && abs(eta) <= 5.0) * sqrt((0.130*energy)^2 + 2.70^2*energy))
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
