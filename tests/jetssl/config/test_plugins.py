"""Packages that add encoders: by name only, and what is wrong with them is one line."""

import sys

import pytest
from pydantic import BaseModel

from jetssl.config import plugins
from jetssl.config.card import load_card
from jetssl.config.encoders import EncoderSection
from jetssl.models.builder import build_encoder, encoder_class
from jetssl.models.encoder import Encoder
from jetssl.training.provenance import SplitCounts, start_record
from resim.common.errors import InputError
from tests.helpers.packages import install

CODE = """
from typing import Literal
from torch import nn
from jetssl.config.encoders import EncoderSection
from jetssl.models.encoder import Encoded, Encoder

class Section(EncoderSection):
    name: Literal["sums"] = "sums"
    width: int = 4

class Sums(Encoder):
    section = Section

    def __init__(self, n_features, card):
        super().__init__()
        self.width = card.width
        self.map = nn.Linear(n_features, card.width)

    def encode(self, features, momenta, ragged):
        tokens = self.map(ragged.flatten(features))
        return Encoded(ragged.pad(tokens), ragged.sum(tokens))

class OtherName(Sums):
    class section(Section):
        name: Literal["others"] = "others"

class NoDefault(Sums):
    class section(EncoderSection):
        name: Literal["no_default"] = "no_default"
        width: int

class NoSection(Encoder):
    pass

class NoEncoder:
    section = Section

number = 3
"""
POINTS = """[jetssl.encoders]
sums = fake_sums:Sums
transformer = fake_sums:Sums
other_name = fake_sums:OtherName
no_default = fake_sums:NoDefault
no_section = fake_sums:NoSection
no_encoder = fake_sums:NoEncoder
number = fake_sums:number
not_there = fake_sums:Nothing
no_module = fake_nothing:Nothing
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    install(tmp_path, "fake_sums", CODE, POINTS)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("fake_sums", None)


def test_a_card_names_it_and_it_encodes(package, card_file, batch):
    assert "sums" in plugins.names("encoders")
    card = load_card(card_file, ["encoder={name: sums, width: 6}", "data.normalize=false"])
    assert card.encoder.width == 6
    encoder = build_encoder(card, seed=1)
    assert encoder(*batch).jet.shape == (4, 6)
    assert card == load_card(card_file, ["encoder={name: sums, width: 6}", "data.normalize=false"])
    assert card.packages == {"fake_sums": "1.2"}
    none = SplitCounts(train=0, validation=0, test=0)
    record = start_record(
        files=(), views=(), rows=none, pair_rows=none, parameters={}, seed=1, processes=1, packages=card.packages
    )
    assert record.versions["fake_sums"] == "1.2"


def test_its_options_are_checked_as_those_of_any_encoder(package, card_file):
    with pytest.raises(InputError, match=r"unknown key encoder\.widht; valid keys here: name, width"):
        load_card(card_file, ["encoder={name: sums, widht: 6}"])


def test_what_jetssl_has_goes_first(package):
    assert encoder_class("transformer").__module__ == "jetssl.models.transformer"


def test_nothing_is_imported_before_it_is_named(package, card_file):
    load_card(card_file)
    assert "sums" in plugins.names("encoders")
    assert "fake_sums" not in sys.modules


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("other_name", "of package fake_sums 1.2: its section has the name 'others'"),
        ("no_default", "its section lacks a default"),
        ("no_section", "its attribute `section` is no subclass of jetssl.config.encoders.EncoderSection"),
        ("number", "its attribute `section` is no subclass"),
        ("not_there", "cannot be imported"),
        ("no_module", "cannot be imported"),
        ("os:system", "'os:system': want one of transformer, part"),
        ("fake_sums:Sums", "want one of transformer, part"),
        ("nobody", "or install the package that has it"),
    ],
)
def test_what_is_wrong_is_one_line(name, message, package, card_file):
    with pytest.raises(InputError) as error:
        load_card(card_file, [f"encoder={{name: '{name}'}}"])
    assert message in str(error.value)


def test_no_encoder(package):
    with pytest.raises(InputError, match=r"is no subclass of jetssl\.models\.encoder\.Encoder; correct or uninstall"):
        plugins.load("encoders", "no_encoder", Encoder)


def test_two_packages_of_one_name(package, tmp_path, monkeypatch):
    install(tmp_path, "fake_other", CODE, "[jetssl.encoders]\nsums = fake_other:Sums\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match="'sums' is added by fake_other and fake_sums, want one"):
        plugins.load("encoders", "sums", Encoder)


def test_every_section_of_ours_would_do_as_one_of_a_package():
    from jetssl.config.card import ENCODER_CARDS, OBJECTIVE_CARDS
    from jetssl.config.objectives import ObjectiveSection

    assert all(issubclass(card, EncoderSection) for card in ENCODER_CARDS.values())
    assert all(issubclass(card, ObjectiveSection) for card in OBJECTIVE_CARDS.values())
    assert all(isinstance(card(), BaseModel) for card in (*ENCODER_CARDS.values(), *OBJECTIVE_CARDS.values()))
