"""Where objects come from, in a card with the structure of the CMS cards for Phase II."""

import pytest

from resim.common.errors import InputError
from resim.detector.card import read_card
from resim.detector.lineage import generated_of, is_generated, marks_on, mothers_of, sources_of, walk
from resim.detector.modules import candidate_modules
from tests.helpers.chain import REPOSITORY

PUPPI = (REPOSITORY / "cards/delphes/cms_puppi.tcl").read_text()
LAST = "RunPUPPI/PuppiParticles"


@pytest.fixture
def card(tmp_path):
    def card(*changes: tuple[str, str]):
        text = PUPPI
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (tmp_path / "card.tcl").write_text(text)
        return read_card(tmp_path / "card.tcl")

    return card


def test_objects_are_followed_to_where_they_were_made(card):
    puppi = card()
    passed, made = walk(puppi, ["RunPUPPIMerger/PuppiParticles"])
    assert passed == ["RunPUPPIMerger/PuppiParticles", "LeptonTrackFilter/tracks"]
    assert made == ["RunPUPPIBase/PuppiParticles", "HCal/eflowTracks"]
    assert mothers_of(puppi, "LeptonTrackFilter/tracks") == ("ECal/eflowTracks",)
    assert sources_of(puppi, "TrackPileUpSubtractor/eflowTracks") == ("HCal/eflowTracks",)
    assert sources_of(puppi, "nowhere/tracks") == ()
    assert generated_of(puppi, "TrackMerger/tracks") == "PileUpMerger/stableParticles"
    assert is_generated(puppi, "Delphes/stableParticles")
    assert not is_generated(puppi, "TrackMerger/tracks")


def test_a_chain_without_a_beginning_has_no_generated_particles(card):
    puppi = card(("  set InputArray PileUpMerger/stableParticles\n", "  set InputArray TrackMerger/tracks\n"))
    assert generated_of(puppi, "TrackMerger/tracks") is None


def test_a_subtractor_marks_what_is_read_behind_it(card):
    puppi = card()
    assert marks_on(puppi, "HadronTrackFilter/tracks", puppi.by_name["RunPUPPIBase"])
    assert marks_on(puppi, "RunPUPPIMerger/PuppiParticles", puppi.by_name["RunPUPPI"])
    assert "TrackPileUpSubtractor" in candidate_modules(puppi)
    none = card(("  TrackPileUpSubtractor\n", ""))
    assert not marks_on(none, "HadronTrackFilter/tracks", none.by_name["RunPUPPIBase"])
    other = card(("add InputArray HCal/eflowTracks eflowTracks", "add InputArray TrackMerger/tracks eflowTracks"))
    assert not marks_on(other, "HadronTrackFilter/tracks", other.by_name["RunPUPPIBase"])
    assert "TrackPileUpSubtractor" not in candidate_modules(other)


def test_marks_that_would_be_lost_are_refused(card):
    """In Delphes all arrays hold the same object, here a filter before the subtractor holds a copy."""
    early = card(
        ("  HadronTrackFilter\n", ""), ("  TrackPileUpSubtractor\n", "  HadronTrackFilter\n  TrackPileUpSubtractor\n")
    )
    with pytest.raises(InputError, match=r"RunPUPPIBase: reads HadronTrackFilter/tracks, .* marks elsewhere"):
        marks_on(early, "HadronTrackFilter/tracks", early.by_name["RunPUPPIBase"])
    merged = card(
        ("  add InputArray HCal/eflowTracks eflowTracks", "  add InputArray Copy/tracks eflowTracks"),
        ("  TrackPileUpSubtractor\n", "  Copy\n  TrackPileUpSubtractor\n"),
        ("module Merger NeutralEFlowMerger", "module Merger Copy { add InputArray HCal/eflowTracks; set OutputArray tracks }\nmodule Merger NeutralEFlowMerger"),
    )  # fmt: skip
    with pytest.raises(InputError, match="marks elsewhere; let both read the same array"):
        marks_on(merged, "HadronTrackFilter/tracks", merged.by_name["RunPUPPIBase"])
