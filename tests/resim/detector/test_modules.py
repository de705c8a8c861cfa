from pathlib import Path

import numpy as np
import pytest

from resim.detector import Detector
from resim.detector.card import CardModule
from resim.detector.pileup import PileUp
from resim.detector.tracking import Efficiency
from tests.helpers.chain import FAULTS, REPOSITORY
from tests.helpers.particles import part

CMS = (REPOSITORY / "cards/delphes/cms.tcl").read_text()


def test_parameters_that_a_card_leaves_out_are_those_of_delphes(tmp_path):
    (tmp_path / "card.tcl").write_text(CMS.replace("  set Bz 3.8\n", "", 1))
    modules = dict(Detector.from_card(tmp_path / "card.tcl").modules)
    assert modules["ParticlePropagator"].bz == 0.0
    efficiency = Efficiency.from_card(CardModule(Path("card.tcl"), "Efficiency", "E", 1, {}, {}))
    assert efficiency.inputs == ("ParticlePropagator/stableParticles",)
    assert efficiency.outputs == ("E/stableParticles",)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["source", "twice", "huge"])
def test_cards_as_they_are_published_are_read(name):
    """A file beside the card; an eta edge with two lists of phi edges; 1.5 GB of cells that candidates do not need."""
    detector = Detector.from_card(FAULTS / f"{name}.tcl")
    assert len(detector.modules) == 11
    assert detector.notes == ()


CARDS = REPOSITORY / "tests/data/delphes_cards"
PHASE_2 = (
    "PileUpMerger ParticlePropagator TrackMergerProp DenseProp DenseMergeTracks DenseTrackFilter"
    " ChargedHadronTrackingEfficiency ElectronTrackingEfficiency MuonTrackingEfficiency ChargedHadronMomentumSmearing"
    " ElectronEnergySmearing MuonMomentumSmearing TrackMerger ECal HCal PhotonEnergySmearing TrackPileUpSubtractor"
    " NeutralEFlowMerger LeptonFilterNoLep LeptonFilterLep RunPUPPIBase RunPUPPIMerger RunPUPPI"
)
STRUCTURES = {
    "phase2": PHASE_2,
    "dual": "ParticlePropagator Found Smeared TrackMerger ForwardLooperTracks Calorimeter EFlowTrackMerger EFlowMerger",
    "forward": "ParticlePropagator TrackMerger ECal LumiCalF LumiCalR HCal LHCalF HCalMerger EFlowMerger",
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_cards_with_the_structure_of_those_of_delphes(name, recording, pool):
    """The modules that run, and the energy in the acceptance: within 15 % of what was generated."""
    pileup = PileUp(20.0, pool) if name == "phase2" else None
    found = Detector.from_card(CARDS / f"{name}.tcl", pileup)
    assert [module for module, _ in found.modules] == STRUCTURES[name].split()
    assert found.notes == ()
    particles = part(recording.particles, 0, 10)
    candidates = found.run(particles, np.arange(10))
    inside = particles.visible & (np.abs(particles.eta) < 2.8)
    energy = candidates.energy[np.abs(candidates.eta) < 2.8].sum()
    assert energy == pytest.approx(particles.energy[inside].sum(), rel=0.15)
    kinds = [(candidates.charge != 0).sum(), (candidates.pdg_id == 22).sum(), (candidates.pdg_id == 0).sum()]
    assert min(kinds) > 20
