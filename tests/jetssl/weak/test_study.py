import pytest
import yaml

from jetssl.config.weak import load_weak_card
from jetssl.evaluation.results import Origin
from jetssl.weak.study import Study
from tests.helpers.chain import REPOSITORY

SHIPPED = REPOSITORY / "cards/wsl/vicreg_small.yaml"


@pytest.fixture
def study(tmp_path):
    return Study(load_weak_card(SHIPPED), tmp_path / "study", Origin(1, ""))


def test_domains_without_files_are_views_of_the_file_that_is_made(study):
    for name, view in (("simulation", "nominal"), ("data", "data")):
        card = study.domain_card(name)
        assert card.files == (str(study.folder.resolve() / "pairs.h5"),)
        assert card.view == view


def test_domains_with_files_need_no_pairs(tmp_path):
    raw = yaml.safe_load(SHIPPED.read_text())
    raw.pop("pairs")
    for domain in raw["domains"].values():
        domain["files"] = [str(tmp_path / "mine.h5")]
    (tmp_path / "mine.h5").touch()
    for pretraining in raw["pretrainings"].values():
        pretraining["card"] = str(REPOSITORY / pretraining["card"])
    (tmp_path / "card.yaml").write_text(yaml.safe_dump(raw))
    own = Study(load_weak_card(tmp_path / "card.yaml"), tmp_path / "study", Origin(1, ""))
    assert own.card.pairs is None
    assert own.domain_card("data").files == (str((tmp_path / "mine.h5").resolve()),)
