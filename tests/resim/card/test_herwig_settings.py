"""Input files of Herwig: what a card may say."""

import pytest

from resim.card.herwig_settings import input_file, read_herwig_card
from resim.common.errors import InputError
from tests.helpers.chain import REPOSITORY

CARD = REPOSITORY / "cards/herwig/default.in"


def test_the_card_comes_between_the_lines_of_the_code():
    settings = read_herwig_card(CARD)
    assert "set /Herwig/Decays/DecayHandler:MaxLifeTime 10*mm" in settings
    lines = input_file(settings).splitlines()
    first = lines.index(settings[0])
    assert tuple(lines[first : first + len(settings)]) == settings
    assert lines[-1] == "saverun resim EventGenerator"


def test_a_card_may_set_physics(tmp_path):
    card = tmp_path / "tune.in"
    lines = (
        "cd /Herwig/Shower",
        "create Herwig::ShowerAlphaQCD AlphaQCD2",
        "set AlphaQCD:AlphaIn 0.118",
        "set /Herwig/UnderlyingEvent/MPIHandler:pTmin0 3.04",
        "read snippets/SoftTune.in",
        "do /Herwig/Particles/tau-:SelectDecayModes tau-->nu_tau,pi-;",
    )
    card.write_text("# a comment\n\n" + "\n".join(f"{line}  # why" for line in lines))
    assert read_herwig_card(card) == lines


@pytest.mark.parametrize(
    "line",
    [
        "set /Herwig/Generators/EventGenerator:NumberOfEvents 5",
        "set /Herwig/Generators/EventGenerator:RandomNumberGenerator:Seed 5",
        "set /Herwig/Random:Seed 5",
        "cd /Herwig/Generators",
        "cd /Herwig/Shower/../Generators",
        "set /Herwig/EventHandlers/EventHandler:CascadeHandler NULL",
        "set /Herwig/EventHandlers/Luminosity:Energy 14000.0",
        "set LHEReader:FileName other.lhe",
        "set /Herwig/Cuts/NoCuts:X1Min 0.1",
        "insert /Herwig/Generators/EventGenerator:AnalysisHandlers 0 /Herwig/Analysis/HepMCFile",
        "read snippets/HepMC.in",
        "read snippets/PPCollider.in",
        "read snippets/LHE-FxFx.in",
        "read snippets/YFS.in",
        "read ../mine.in",
        "saverun mine EventGenerator",
        "run mine EventGenerator",
        "library HwFxFx.so",
    ],
)
def test_a_card_may_not_touch_what_belongs_to_the_code(tmp_path, line):
    card = tmp_path / "mine.in"
    card.write_text(f"# comment\nset /Herwig/Shower/ShowerHandler:MaxPtIsMuF Yes\n{line}\n")
    with pytest.raises(InputError, match=r"mine\.in:3: .*cards set physics only, remove it"):
        read_herwig_card(card)


def test_names_are_relative_to_cd(tmp_path):
    card = tmp_path / "mine.in"
    lines = ("cd /Herwig", "set Shower/PartnerFinder:PartnerMethod Random", "set Random:Size 10")
    card.write_text("\n".join(lines[:2]))
    assert read_herwig_card(card) == lines[:2]
    card.write_text("\n".join(lines))
    with pytest.raises(InputError, match=r"mine\.in:3: .*touches /Herwig/Random"):
        read_herwig_card(card)


def test_a_missing_card_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.in: cannot be read"):
        read_herwig_card(tmp_path / "none.in")
