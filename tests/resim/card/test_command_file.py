from pathlib import Path

import pytest
import pythia8mc

from resim.card.command_file import settings_of
from resim.card.pythia_settings import read_cmnd
from resim.common.errors import InputError
from tests.helpers.chain import FAULTS, REPOSITORY


def settings(text: str) -> list[str]:
    return [line for _, line in settings_of(text, Path("x.cmnd"))]


def test_block_comments_and_lists_over_lines():
    text = "/* a\nTune:pp = 5\n  */ Tune:pp = 6\nTune:pp = 14\nStringZ:x = {1,\n 2, ! two\n 3}\n-----\n111:mayDecay off\n"
    assert settings(text) == ["Tune:pp = 14", "StringZ:x = {1, 2, 3}", "111:mayDecay off"]
    assert read_cmnd(FAULTS / "block.cmnd") == ["Tune:pp = 14"]


def test_it_is_what_pythias_own_reader_takes(tmp_path):
    """`readFile` takes the same text, and the block comment leaves the value as it was."""
    text = "Tune:pp = 14\n /* out\nSpaceShower:alphaSvalue = 0.2\n*/ in\nTimeShower:alphaSvalue = 0.12 ! as above\n"
    (tmp_path / "x.cmnd").write_text(text)
    theirs, ours = pythia8mc.Pythia("", False), pythia8mc.Pythia("", False)
    assert theirs.readFile(str(tmp_path / "x.cmnd"))
    assert all(ours.readString(line) for line in settings(text))
    for name in ("SpaceShower:alphaSvalue", "TimeShower:alphaSvalue"):
        assert ours.parm(name) == theirs.parm(name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("'Tune:pp 14',\n", r"x.cmnd:1: \"'Tune:pp 14',\" is neither a setting nor a comment"),
        ("Tune:pp = 14\nlook here\n", r"x.cmnd:2: 'look here' is neither"),
        ("/* open\nTune:pp = 14\n", r"x.cmnd:1: the comment /\* has no end"),
        ("\nA:b = {1,\n2\n", r"x.cmnd:2: the list { has no end"),
    ],
)
def test_what_pythia_would_silently_pass_over_is_an_error(text, message):
    with pytest.raises(InputError, match=message):
        settings(text)


def test_shipped_cards_are_read_as_before():
    for card in (REPOSITORY / "cards/pythia").glob("*.cmnd"):
        lines = [line.split("!", 1)[0].strip() for line in card.read_text().splitlines()]
        assert settings(card.read_text()) == [line for line in lines if line and line[0].isalnum()]
