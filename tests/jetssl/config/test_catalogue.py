"""What `jetssl encoders` and `jetssl objectives` list."""

import json

import pytest
from click.testing import CliRunner

from jetssl.cli import jetssl
from jetssl.config.card import ENCODER_CARDS, OBJECTIVE_CARDS
from jetssl.config.catalogue import catalogue
from tests.helpers.packages import install


@pytest.mark.parametrize(("kind", "cards"), [("encoders", ENCODER_CARDS), ("objectives", OBJECTIVE_CARDS)])
def test_all_keys_of_all_sections(kind, cards):
    own = {one.name: one for one in catalogue(kind) if one.package == "resim-jets"}
    assert own.keys() == cards.keys()
    for name, card in cards.items():
        assert [option.name for option in own[name].options] == [key for key in card.model_fields if key != "name"]
        assert own[name].doc
        assert own[name].doc == " ".join(own[name].doc.split())


def test_a_broken_package_is_listed_with_what_is_wrong(tmp_path, monkeypatch):
    install(tmp_path, "fake_broken", "1 / 0", "[jetssl.objectives]\nbroken = fake_broken:Loss\n")
    monkeypatch.syspath_prepend(tmp_path)
    (found,) = (one for one in catalogue("objectives") if one.name == "broken")
    assert found.options == ()
    assert "ZeroDivisionError" in found.doc


def test_text_and_records():
    text = CliRunner().invoke(jetssl, ["encoders"]).output
    assert "part (resim-jets): Particle Transformer; defaults as published" in text
    assert "  width: 128  D; a multiple of `heads`" in text
    records = json.loads(CliRunner().invoke(jetssl, ["objectives", "--json"]).output)
    (ntxent,) = (one for one in records if one["name"] == "ntxent")
    assert ntxent["options"][0] == {"name": "temperature", "default": 0.1, "doc": ""}
