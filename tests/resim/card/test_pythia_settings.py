"""Lines for Pythia from a ShowerSection section."""

import pytest

from resim.card.pythia_settings import read_cmnd, shower_lines
from resim.card.stages import ShowerSection
from resim.common.errors import InputError
from tests.helpers.chain import FAULTS, REPOSITORY

MONASH = REPOSITORY / "cards/pythia/monash.cmnd"


def test_mu_r_factors_enter_squared():
    lines = shower_lines(ShowerSection(card=MONASH, mu_r_fsr=0.5, mu_r_isr=2.0))
    assert lines[-2:] == ("TimeShower:renormMultFac = 0.25", "SpaceShower:renormMultFac = 4.0")


def test_settings_follow_the_card_and_are_checked_like_it():
    shower = ShowerSection(card=MONASH, model="vincia", settings=("TimeShower:renormMultFac = 0.707",))
    assert shower_lines(shower)[-2:] == ("PartonShowers:model = 2", "TimeShower:renormMultFac = 0.707")
    with pytest.raises(InputError, match=r"shower\.settings:1: sets Random:seed"):
        shower_lines(ShowerSection(card=MONASH, settings=("Random:seed = 3",)))


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Random:seed = 5", "Random:seed"),
        ("beams:ecm = 14000.", "beams:ecm"),
        ("Main:numberOfEvents = 10", "Main:numberOfEvents"),
        ("HadronLevel:all = off", "HadronLevel:all"),
        ("SLHA:file = /tmp/x", "SLHA:file"),
        ("LHAPDF6:dataPath=/x", "LHAPDF6:dataPath"),
        ("Init:plugins = {lib.so::X}", "Init:plugins"),
        ("Vincia:MEplugin = lib", "Vincia:MEplugin"),
        ("HardQCD:all = on", "HardQCD:all"),
        ("include = other.cmnd", "'include = other.cmnd' is no setting"),
        ("PDF:pSet = LHAPDF6:NNPDF31", "'PDF:pSet = LHAPDF6:NNPDF31' is no setting"),
        ("Parallelism:numThreads = 9", "Parallelism:numThreads is none of the settings"),
    ],
)
def test_cards_may_not_set_what_the_code_owns(tmp_path, line, name):
    path = tmp_path / "own.cmnd"
    path.write_text(f"! comment\n\nTune:pp = 14  ! fine\n{line}\n")
    with pytest.raises(InputError, match=rf"own\.cmnd:4: (sets )?{name}"):
        read_cmnd(path)


def test_comments_and_blank_lines_are_no_settings(tmp_path):
    path = tmp_path / "some.cmnd"
    path.write_text("! a\n# b\n\n  Tune:pp = 14 ! Monash\n")
    assert read_cmnd(path) == ["Tune:pp = 14"]


def test_settings_that_only_sound_like_files_are_allowed(tmp_path):
    path = tmp_path / "profile.cmnd"
    path.write_text("MultipartonInteractions:bProfile = 2\n")
    assert read_cmnd(path) == ["MultipartonInteractions:bProfile = 2"]


@pytest.mark.parametrize("first", ["\a", "\u200b", "\u3000", "\x0b", '"', ""])
@pytest.mark.parametrize("last", ["", "\x00", "\n"])
def test_what_pythia_would_strip_hides_no_setting(first, last):
    """Pythia strips control characters, so it would load the library."""
    line = f"{first}Init:plugins = {{lib.so::X}}{last}"
    with pytest.raises(
        InputError, match=r"shower\.settings:1: .*(no setting|which resim controls|names a file)"
    ) as caught:
        shower_lines(ShowerSection(card=MONASH, settings=(line,)))
    assert str(caught.value).isprintable()


def test_all_shipped_settings_are_allowed():
    for path in (REPOSITORY / "cards/pythia").glob("*.cmnd"):
        assert read_cmnd(path)


def test_settings_that_weight_events_are_refused():
    with pytest.raises(InputError, match=r"enh.cmnd:2: sets Enhancements:doEnhance: events would have weights"):
        read_cmnd(FAULTS / "enh.cmnd")
