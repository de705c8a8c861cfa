from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from jetssl.config.weak import load_weak_card
from jetssl.evaluation.results import Origin
from jetssl.weak import study as module
from jetssl.weak.study import Study, make_pairs
from resim.card import generation_card
from resim.common.errors import InputError
from tests.helpers.chain import REPOSITORY

SHIPPED = REPOSITORY / "cards/studies/vicreg_wsl_small.yaml"


@pytest.fixture
def study(tmp_path):
    return Study(load_weak_card(SHIPPED), tmp_path / "study", Origin(1, ""))


def test_the_pair_file_is_made_from_own_hard_scatters(study, monkeypatch):
    """LHE files first, then pile-up, then the views; a second call makes only what is missing."""
    commands = []

    def run(command, log):
        commands.append(command[3:])
        Path(command[command.index("-o") + 1]).touch()
        assert log.parent == study.folder.resolve()

    monkeypatch.setattr(module, "run_logged", run)
    make_pairs(study)
    assert [words[0] for words in commands] == ["hard-scatter", "hard-scatter", "pileup", "generate"]
    assert commands[0][2:4] == ["-n", "6000"]
    assert commands[2][1:3] == ["-n", "3000"]
    assert "--resume" in commands[3]
    card = generation_card.load_card(study.folder / "generation.yaml")
    assert [source.lhe.name for source in card.sources] == ["hbb_j.lhe.gz", "qcd_jj.lhe.gz"]
    assert all(source.lhe.parent == study.folder.resolve() for source in card.sources)
    shipped = generation_card.load_card(REPOSITORY / "cards/generate/domains_small.yaml")
    assert card.views.keys() == shipped.views.keys()
    assert card.stages()["seed"] == shipped.stages()["seed"]
    data, without = card.stages()["data"], shipped.stages()["data"]
    assert data.shower == without.shower
    assert data.detector.card == REPOSITORY / "cards/delphes/cms_shifted_puppi.tcl"
    assert (data.detector.pileup.mu, data.detector.pileup.pool) == (25, study.folder.resolve() / "minimum_bias.h5")
    make_pairs(study)
    assert [words[0] for words in commands[4:]] == ["generate"]


def test_pile_up_needs_a_view_to_be_mixed_into(study, monkeypatch):
    monkeypatch.setattr(module, "run_logged", lambda command, log: None)
    pairs = study.card.pairs
    changed = pairs.model_copy(update={"pileup": pairs.pileup.model_copy(update={"view": "datta"})})
    with pytest.raises(
        InputError, match=r"domains_small.yaml: no view 'datta' to mix pile-up into; has nominal, seed"
    ):
        make_pairs(replace(study, card=study.card.model_copy(update={"pairs": changed})))


def test_domains_without_files_are_views_of_the_file_that_is_made(study):
    for name, view in (("simulation", "nominal"), ("data", "data")):
        card = study.domain_card(name)
        assert card.files == (str(study.folder.resolve() / "pairs.h5"),)
        assert card.view == view


def test_domains_with_files_make_nothing(study, monkeypatch, tmp_path):
    monkeypatch.setattr(module, "run_logged", None)
    raw = yaml.safe_load(SHIPPED.read_text())
    raw.pop("pairs")
    for domain in raw["domains"].values():
        domain["files"] = [str(tmp_path / "mine.h5")]
    (tmp_path / "mine.h5").touch()
    (tmp_path / "card.yaml").write_text(yaml.safe_dump(raw))
    for pretraining in raw["pretrainings"].values():
        pretraining["card"] = str(REPOSITORY / pretraining["card"])
    (tmp_path / "card.yaml").write_text(yaml.safe_dump(raw))
    own = Study(load_weak_card(tmp_path / "card.yaml"), tmp_path / "study", Origin(1, ""))
    make_pairs(own)
    assert own.domain_card("data").files == (str((tmp_path / "mine.h5").resolve()),)
