"""Sections of the stages of a view, and how one changes another."""

import pytest
from pydantic import ValidationError

from resim.card.stages import DetectorSection, PileUpSection, ShowerSection


def test_only_what_is_given_changes():
    shower = ShowerSection(mu_r_fsr=2.0, settings=("a = 1",))
    assert shower.changed_by(None) == shower
    changed = shower.changed_by(ShowerSection(mu_r_isr=0.5))
    assert (changed.mu_r_fsr, changed.mu_r_isr, changed.settings) == (2.0, 0.5, ("a = 1",))
    assert shower.changed_by(ShowerSection(mu_r_fsr=1.0)).mu_r_fsr == 1.0  # said so, though it is the default


def test_the_same_generator_named_again_keeps_the_rest():
    shower = ShowerSection(mu_r_fsr=2.0)
    assert shower.changed_by(ShowerSection(generator="pythia8")).mu_r_fsr == 2.0
    assert shower.changed_by(ShowerSection(generator="herwig7")).mu_r_fsr == 1.0


def test_a_detector_is_changed_or_taken_away():
    detector = DetectorSection(card="a.tcl")
    assert detector.changed_by(None) is detector
    assert detector.changed_by("none") == "none"
    assert detector.changed_by(DetectorSection(backend="delphes")) == DetectorSection(card="a.tcl", backend="delphes")


@pytest.mark.parametrize(
    ("section", "values", "message"),
    [
        (ShowerSection, {"generator": "herwig7", "mu_r_fsr": 2.0}, "are Pythia's"),
        (ShowerSection, {"mu_r_isr": 4.0}, "less than or equal to 3.16"),
        (PileUpSection, {"mu": 2000, "pool": "x"}, "less than or equal to 1000"),
        (
            DetectorSection,
            {"backend": "delphes", "pileup": {"mu": 1, "pool": "x"}},
            "pileup is mixed in by resim alone",
        ),
        (DetectorSection, {"backend": "cocoa", "card": "a.tcl"}, "backend cocoa wants a calorimeter card"),
        (DetectorSection, {"backend": "delphes", "card": "a.yaml"}, "neither pileup nor backend delphes"),
    ],
)
def test_what_cannot_be(section, values, message):
    with pytest.raises(ValidationError, match=message):
        section.model_validate(values)


def test_files_are_found_beside_the_card(tmp_path):
    for name in ("a.tcl", "pool.h5", "tune.cmnd"):
        (tmp_path / name).touch()
    card = tmp_path / "card.yaml"
    section = {"card": "a.tcl", "pileup": {"mu": 1, "pool": "pool.h5"}}
    found = DetectorSection.model_validate(section).with_files(card)
    assert (found.card_path, found.pileup.pool) == (tmp_path / "a.tcl", tmp_path / "pool.h5")
    assert ShowerSection(card="tune.cmnd").with_files(card).card == tmp_path / "tune.cmnd"
    with pytest.raises(ValueError, match="has no card"):
        _ = DetectorSection().card_path
