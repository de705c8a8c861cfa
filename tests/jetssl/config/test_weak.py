import pytest

from jetssl.config.card import load_card
from jetssl.config.weak import load_weak_card
from resim.common.errors import InputError
from tests.helpers.chain import REPOSITORY

CARDS = REPOSITORY / "cards/wsl"


@pytest.mark.parametrize("path", sorted(CARDS.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_cards_load_with_all_their_trainings(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pairs.h5").touch()
    card = load_weak_card(path)
    for one in card.pretrainings.values():
        labelled = f"data.labelled={str(one.domain == 'simulation').lower()}"
        load_card(one.card, [*card.overrides, *one.overrides, "data.files=[pairs.h5]", labelled])


def test_domains_of_no_file_are_refused(tmp_path):
    text = (CARDS / "vicreg_small.yaml").read_text()
    (tmp_path / "card.yaml").write_text(text[: text.index("pairs:")] + text[text.index("domains:") :])
    with pytest.raises(InputError, match="domains name no files, and there is no section `pairs`"):
        load_weak_card(tmp_path / "card.yaml")
