"""Pair files made by `resim`: which commands, in which order, and from which files."""

import os
from pathlib import Path

import pytest

from jetssl.config.weak import load_weak_card
from jetssl.data import generation as module
from jetssl.data.generation import make_pairs
from resim.card import generation_card
from resim.common.errors import InputError
from tests.helpers.chain import REPOSITORY


@pytest.fixture
def wanted():
    return load_weak_card(REPOSITORY / "cards/wsl/vicreg_small.yaml").pairs


def test_the_pair_file_is_made_from_own_hard_scatters(wanted, tmp_path, monkeypatch):
    """LHE files first, then pile-up, then the views; a second call makes only what is missing."""
    commands = []

    def run(command, log):
        commands.append(command[3:])
        Path(command[command.index("-o") + 1]).touch()
        assert log.parent == tmp_path

    monkeypatch.setattr(module, "run_logged", run)
    assert make_pairs(wanted, tmp_path) == tmp_path / "pairs.h5"
    assert [words[0] for words in commands] == ["hard-scatter", "hard-scatter", "pileup", "generate"]
    assert commands[0][2:4] == ["-n", "6000"]
    assert commands[2][1:3] == ["-n", "3000"]
    assert "--resume" in commands[3]
    card = generation_card.load_card(tmp_path / "generation.yaml")
    assert [source.lhe.name for source in card.sources] == ["hbb_j.lhe.gz", "qcd_jj.lhe.gz"]
    assert all(source.lhe.parent == tmp_path for source in card.sources)
    shipped = generation_card.load_card(REPOSITORY / "cards/generate/domains_small.yaml")
    assert card.views.keys() == shipped.views.keys()
    assert card.stages()["seed"] == shipped.stages()["seed"]
    data, without = card.stages()["data"], shipped.stages()["data"]
    assert data.shower == without.shower
    assert data.detector.card == REPOSITORY / "cards/delphes/cms_shifted_puppi.tcl"
    assert (data.detector.pileup.mu, data.detector.pileup.pool) == (25, tmp_path / "minimum_bias.h5")
    make_pairs(wanted, tmp_path)
    assert [words[0] for words in commands[4:]] == ["generate"]


def test_pile_up_needs_a_view_to_be_mixed_into(wanted, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "run_logged", lambda command, log: None)
    changed = wanted.model_copy(update={"pileup": wanted.pileup.model_copy(update={"view": "datta"})})
    with pytest.raises(
        InputError, match=r"domains_small.yaml: no view 'datta' to mix pile-up into; has nominal, seed"
    ):
        make_pairs(changed, tmp_path)


def test_fewer_events_of_each_source(wanted, tmp_path, monkeypatch):
    commands = []
    monkeypatch.setattr(module, "run_logged", lambda command, log: commands.append(command[3:]))
    fewer = {"n_events": 7, "hard_scatter": {}, "pileup": None}
    make_pairs(wanted.model_copy(update=fewer), tmp_path)
    make_pairs(wanted.model_copy(update=fewer | {"scheduler": "tcp://head:8786"}), tmp_path)
    here, there = commands
    assert here[here.index("-n") + 1] == "7"
    assert here[here.index("-j") + 1] == str(len(os.sched_getaffinity(0)))
    assert "-j" not in there
    assert there[there.index("--scheduler") + 1] == "tcp://head:8786"


def test_a_made_file_that_stands_for_no_source_is_refused(wanted, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "run_logged", lambda command, log: None)
    other = wanted.model_copy(update={"hard_scatter": {"hbb": wanted.hard_scatter["hbb_j"]}})
    with pytest.raises(InputError, match=r"no source hbb.lhe.gz for the made one to stand for; has hbb_j, qcd_jj"):
        make_pairs(other, tmp_path)
