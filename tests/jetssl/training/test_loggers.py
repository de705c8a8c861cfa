"""Where the curves go beside metrics.csv."""

from pathlib import Path

import pytest

from jetssl.config.card import load_card
from jetssl.training import loggers as module
from jetssl.training.loggers import loggers
from jetssl.training.pretrain import pretrain
from jetssl.training.run_folder import RunFolder
from resim.common.errors import InputError


def test_tensorboard_is_what_there_is(finished_run, card):
    (board,) = loggers(card, finished_run)
    assert Path(board.log_dir) == finished_run.tensorboard


def test_weights_and_biases_beside_it(finished_run, card_file, monkeypatch):
    """As one run, however often it is resumed."""
    asked = []
    monkeypatch.setattr(module, "WandbLogger", lambda **settings: asked.append(settings) or "wandb")
    card = load_card(card_file, ["training.logger=wandb"])
    for _ in range(2):
        assert loggers(card, finished_run)[1] == "wandb"
    assert asked[0] == asked[1]
    assert asked[0]["name"] == "run"
    assert len(asked[0]["id"]) == 16


def test_a_logger_that_is_not_installed_is_one_line(card_file, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"training\.logger: wandb, which is not installed; install it with `pip"):
        pretrain(load_card(card_file, ["training.logger=wandb"]), RunFolder(tmp_path / "run"), quiet=True)
    assert not (tmp_path / "run").exists()
