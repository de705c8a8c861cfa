"""Entry points of any group: one line says what is wrong. More is in tests/jetssl/config/test_plugins.py."""

import sys

import pytest

from resim.common import plugins
from resim.common.cards import CardModel
from resim.common.errors import InputError
from tests.helpers.packages import install

CODE = """
from typing import Literal
from resim.common.cards import CardModel

class Section(CardModel):
    kind: Literal["good"] = "good"

class Good:
    section = Section

class Nameless:
    class section(CardModel):
        pass
"""


@pytest.fixture(autouse=True)
def package(tmp_path, monkeypatch):
    install(tmp_path, "fake_any", CODE, "[any.things]\ngood = fake_any:Good\nnameless = fake_any:Nameless\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("fake_any", None)


def test_names_packages_and_sections():
    assert plugins.names("any.things") == ("good", "nameless")
    assert "fake_any" not in sys.modules
    assert plugins.package_of("any.things", "good") == ("fake_any", "1.2")
    section = plugins.section_of("any.things", "good", CardModel, "kind")
    assert section().model_dump() == {"kind": "good"}
    assert plugins.load("any.things", "good", object).section is section


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nameless", "things: 'nameless' of package fake_any 1.2: its section has the kind None; correct or uninst"),
        ("nobody", "things: 'nobody' is added by no installed package, want one"),
    ],
)
def test_what_is_wrong_is_one_line(name, message):
    with pytest.raises(InputError, match=message):
        plugins.section_of("any.things", name, CardModel, "kind")
