from pathlib import Path

import pytest

from resim.detector import Detector
from resim.detector.card import CardModule
from resim.detector.tracking import Efficiency
from tests.helpers.chain import FAULTS, REPOSITORY

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
