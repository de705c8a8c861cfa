"""Lists of names with their options."""

import pytest
from pydantic import ConfigDict

from resim.common.cards import CardModel
from resim.common.catalogue import Choice, catalogue, choice_of, listing
from tests.helpers.packages import install


class Thing(CardModel):
    """A thing
    of two lines."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    name: str = "thing"
    size: int = 3
    """of it"""


def test_a_name_and_its_options():
    choice = choice_of("thing", "resim-jets", Thing)
    assert listing([choice]) == "thing (resim-jets): A thing of two lines.\n  size: 3  of it"


@pytest.mark.parametrize("taken", [False, True])
def test_a_broken_package_is_listed_and_what_we_have_goes_first(taken, tmp_path, monkeypatch):
    install(tmp_path, "fake_broken", "1 / 0", "[any.things]\nbroken = fake_broken:Thing\n")
    monkeypatch.syspath_prepend(tmp_path)
    own = [Choice(name="broken" if taken else "ours", package="resim-jets", doc="")]
    found = catalogue("any.things", own, CardModel)
    assert found[0] == own[0]
    assert ["ZeroDivisionError" in one.doc for one in found[1:]] == [True] * (not taken)
