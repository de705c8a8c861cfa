set ExecutionPath {NeutrinoFilter ParticlePropagator TrackMerger ECal LumiCalF LumiCalR HCal LHCalF HCalMerger EFlowMerger}
module PdgCodeFilter NeutrinoFilter {
  set InputArray Delphes/stableParticles
  foreach id {12 14 16 -12 -14 -16} { add PdgCode $id }
}
module ParticlePropagator ParticlePropagator {
  set InputArray Delphes/stableParticles
  set Radius 1.7
  set HalfLength 2.2
  set Bz 3.4
}
module Merger TrackMerger {
  add InputArray ParticlePropagator/chargedHadrons ParticlePropagator/electrons ParticlePropagator/muons
  set OutputArray tracks
}
set phi {-3.14159265358979 -1.6 0 1.6 3.14159265358979}
foreach {name ecal range} {
  ECal true {-3 -1.5 0 1.5 3}
  LumiCalF true {3 3.5 4}
  LumiCalR true {-4 -3.5 -3}
} {
  module SimpleCalorimeter $name "
    set ParticleInputArray ParticlePropagator/stableParticles
    set TrackInputArray TrackMerger/tracks
    set EFlowTrackOutputArray eflowTracks
    set EFlowTowerOutputArray eflowPhotons
    set IsEcal $ecal
    set EnergyMin 0.3
    set ResolutionFormula {sqrt(energy*0.16^2)}
    add EtaPhiBins {$range} {$phi}
    source forward/fractions.tcl
  "
}
module SimpleCalorimeter HCal {
  set ParticleInputArray ParticlePropagator/stableParticles
  set TrackInputArray ECal/eflowTracks
  set EFlowTrackOutputArray eflowTracks
  set EFlowTowerOutputArray eflowNeutralHadrons
  add EtaPhiBins {-3 -1.5 0 1.5 3} {-3.14159265358979 -1.6 0 1.6 3.14159265358979}
  source forward/hadronic.tcl
}
module SimpleCalorimeter LHCalF {
  set ParticleInputArray ParticlePropagator/stableParticles
  set TrackInputArray ECal/eflowTracks
  set EFlowTrackOutputArray eflowTracks
  set EFlowTowerOutputArray eflowNeutralHadrons
  add EtaPhiBins {3 3.5 4} {-3.14159265358979 -1.6 0 1.6 3.14159265358979}
  source forward/hadronic.tcl
}
module Merger HCalMerger {
  add InputArray HCal/eflowTracks
  add InputArray LHCalF/eflowTracks
  set OutputArray eflowTracks
}
module Merger EFlowMerger {
  add InputArray HCalMerger/eflowTracks
  add InputArray ECal/eflowPhotons
  add InputArray LumiCalF/eflowPhotons
  add InputArray LumiCalR/eflowPhotons
  add InputArray HCal/eflowNeutralHadrons
  add InputArray LHCalF/eflowNeutralHadrons
  set OutputArray eflow
}
