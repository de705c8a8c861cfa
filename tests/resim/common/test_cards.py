"""YAML cards: one line says what is wrong, and files are found from anywhere."""

import os
from pathlib import Path

import pytest

from resim.common.cards import CardModel, find_file, parse_card, read_yaml
from resim.common.errors import InputError

BOMB = "a0: &a0 {k: 1}\n" + "".join(f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 10)}]}}\n" for i in range(1, 9))
"""535 bytes that once took 1.8 GB."""


class Section(CardModel):
    """A section."""

    mass: float = 1.0


class Card(CardModel):
    """A card with a section."""

    section: Section = Section()
    name: str = "x"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"nam": "y"}, "unknown key nam; valid keys here: section, name"),
        ({"section": {"mas": 1}}, "unknown key section.mas; valid keys here: mass"),
        ({"section": {"mass": "heavy"}}, "section.mass: 'heavy': "),
        ({"section": {"mass": float("inf")}}, "section.mass: inf: "),
        ({"section": {"mass": "a"}, "name": 3}, r"section\.mass: .*\(and 1 more\)"),
        ([1], r"holds \[1\], want a mapping with the keys section, name"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(data, message):
    with pytest.raises(InputError, match=message) as caught:
        parse_card(Card, data, Path("a.yaml"))
    assert str(caught.value).startswith("a.yaml: ")
    assert "\n" not in str(caught.value)


def test_a_card_cannot_be_changed():
    card = parse_card(Card, {"section": {"mass": 2}}, Path("a.yaml"))
    assert card.section.mass == 2.0
    with pytest.raises(ValueError, match="frozen"):
        card.name = "z"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "key 'a' stands twice"),
        ("a: [1, 2", "not valid YAML"),
        ("{a: " * 2000, "nested too deeply"),
        (BOMB, "keys and values, want 20000 at most, with aliases written out"),
        ("? [a]\n: 1\n", "not valid YAML"),
        ("a: 2026-99-99\n", "not valid YAML"),
        ("a: !!int ''\n", "not valid YAML .string index out of range"),
        ("a: !!bool x\n", "not valid YAML"),
        ("a: !!timestamp x\n", "not valid YAML"),
    ],
)
def test_yaml_that_is_none(tmp_path, text, message):
    path = tmp_path / "card.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_yaml(path)


def test_a_merge_key_may_repeat_what_it_merges(tmp_path):
    path = tmp_path / "card.yaml"
    path.write_text("base: &b {x: 1, y: 2}\nother: {<<: *b, x: 3}\n")
    assert read_yaml(path)["other"] == {"x": 3, "y": 2}


def test_files_are_found_from_the_working_directory_and_above_the_card(tmp_path, monkeypatch):
    card, data = tmp_path / "repository/cards/generate/a.yaml", tmp_path / "repository/data/x.lhe"
    for path in (card, data):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert find_file(Path("data/x.lhe"), card) == data
    (tmp_path / "elsewhere/data").mkdir()
    (tmp_path / "elsewhere/data/x.lhe").touch()
    assert find_file(Path("data/x.lhe"), card).resolve() == tmp_path / "elsewhere/data/x.lhe"
    with pytest.raises(InputError, match=r"file no\.lhe not found .*above"):
        find_file(Path("no.lhe"), card)
    with pytest.raises(InputError, match=r"file .* not found; correct"):
        find_file(tmp_path / "no.lhe", card)


def test_pipes_and_large_files_are_no_cards(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(InputError, match=r"pipe.yaml: not a regular file; want a YAML card"):
        read_yaml(tmp_path / "pipe.yaml")
    large = tmp_path / "large.yaml"
    with large.open("wb") as file:
        file.truncate(20_000_000)
    with pytest.raises(InputError, match=r"large.yaml: has 20000000 bytes, want a card of 200000 at most"):
        read_yaml(large)
