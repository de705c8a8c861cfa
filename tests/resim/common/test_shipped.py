"""Cards that come with the program."""

import shutil

import pytest

from resim.common import shipped
from resim.common.cards import find_file
from resim.common.errors import InputError
from resim.common.shipped import copy_cards, shipped_cards
from tests.helpers.chain import REPOSITORY, run_cli


def test_all_of_them_are_listed_with_their_first_line():
    listed = run_cli("cards", "list").output
    for path in shipped_cards():
        assert str(path) in listed
    assert "cards/generate/demo.yaml" in listed
    assert "The demo: boosted H -> b bbar" in listed


def test_a_copy_lies_as_in_the_repository(tmp_path):
    done = run_cli("cards", "copy", "cards/generate/demo.yaml", "cards/pythia", "-o", tmp_path)
    assert done.exit_code == 0, done.output
    copied = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert {str(path.parent) for path in copied} == {"cards/generate", "cards/pythia"}
    for path in copied:
        assert (tmp_path / path).read_bytes() == (REPOSITORY / path).read_bytes()
    with pytest.raises(InputError, match=r"demo.yaml: exists already; .*--force"):
        copy_cards(["cards/generate/demo.yaml"], tmp_path, force=False)
    assert copy_cards(["cards/generate/demo.yaml"], tmp_path, force=True)


def test_no_such_card(tmp_path):
    with pytest.raises(InputError, match="cards/nothing: no shipped card of that name; see `resim cards list`"):
        copy_cards(["cards/nothing"], tmp_path, force=False)


def test_an_installed_package_finds_what_its_cards_name(tmp_path, monkeypatch):
    package = tmp_path / "site-packages" / "resim"
    shutil.copytree(REPOSITORY / "cards/pythia", package / "shipped/cards/pythia")
    monkeypatch.setattr(shipped, "__file__", str(package / "common" / "shipped.py"))
    monkeypatch.chdir(tmp_path)
    card = tmp_path / "elsewhere" / "card.yaml"
    assert find_file(shipped.Path("cards/pythia/monash.cmnd"), card) == package / "shipped/cards/pythia/monash.cmnd"
    with pytest.raises(InputError, match="not found"):
        find_file(shipped.Path("cards/pythia/none.cmnd"), card)
