import re

import pytest

from resim.detector import Detector
from tests.helpers.chain import REPOSITORY

CMS = (REPOSITORY / "cards/delphes/cms.tcl").read_text()
NO_SMEARING = "".join(f"  set {name}ResolutionFormula {{ 0.0 }}\n" for name in ("D0", "DZ", "P", "CtgTheta", "Phi"))
TRACK_SMEARING = f"""
module TrackSmearing TrackSmearing {{
  set InputArray TrackMerger/tracks
  set OutputArray tracks
{NO_SMEARING}}}
"""


def notes(tmp_path, text: str) -> tuple[str, ...]:
    (tmp_path / "card.tcl").write_text(text)
    return Detector.from_card(tmp_path / "card.tcl").notes


def test_a_card_that_measures_momenta_exactly_is_said(tmp_path):
    """TrackSmearing starts from the generated momentum; public JetClass cards have it behind MomentumSmearing."""
    text = CMS.replace("  ECal\n", "  TrackSmearing\n  ECal\n", 1).replace(
        "TrackMerger/tracks", "TrackSmearing/tracks"
    )
    (note,) = notes(tmp_path, text + TRACK_SMEARING)
    assert re.search(r"card.tcl:\d+: TrackSmearing: starts from the generated momentum, so \w+MomentumSmearing", note)
    assert "measures momenta exactly" in note


@pytest.mark.parametrize("condition", ["pt > 1.1 && pt <= 1.0", "abs(eta) <= 1.5 && abs(eta) > 1.5"])
def test_conditions_that_are_never_true_are_said(tmp_path, condition):
    old = "(abs(eta) <= 1.5)                   * (pt > 0.1 && pt <= 1.0) * 0.70"
    assert old in CMS
    (note,) = notes(tmp_path, CMS.replace(old, f"({condition}) * 0.70", 1))
    assert note.endswith(f"ChargedHadronTrackingEfficiency.EfficiencyFormula: {condition} is never true")


def test_shipped_cards_are_as_they_are_meant():
    for card in sorted((REPOSITORY / "cards/delphes").glob("*.tcl")):
        assert Detector.from_card(card).notes == ()


PUPPI = (REPOSITORY / "cards/delphes/cms_puppi.tcl").read_text()


def test_puppi_without_marks_of_pileup_is_said(tmp_path):
    first, second = notes(tmp_path, PUPPI.replace("  TrackPileUpSubtractor\n", "", 1))
    assert (
        "RunPUPPIBase: no TrackPileUpSubtractor marks tracks before it, so all count as of the hard vertex" in first
    )
    assert "RunPUPPI: no TrackPileUpSubtractor marks tracks" in second


def test_a_filter_that_undoes_the_smearing_is_said(tmp_path):
    """As in a card that comes with Delphes: DenseTrackFilter hands on what its input was made from."""
    old = "module Merger TrackMerger {\n"
    bins = "set TrackInputArray Smeared/tracks\n  add EtaPhiBins {-2 0 2} {-3 0 3}\n}\nmodule Merger Smeared {\n"
    text = CMS.replace(old, "module DenseTrackFilter TrackMerger {\n  " + bins, 1)
    (note,) = notes(tmp_path, text.replace("  TrackMerger\n", "  Smeared\n  TrackMerger\n", 1))
    assert "TrackMerger: hands on tracks as they were before ChargedHadronMomentumSmearing, Electron" in note
