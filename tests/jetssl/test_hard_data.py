"""Data at the edge of what a training can use, and files that are not what they seem."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from jetssl.config.card import load_card
from jetssl.data import reading
from jetssl.data.jet_table import read_jets
from jetssl.methods.builder import METHODS
from jetssl.training import pretrain as program
from jetssl.training.epoch_metrics import read_metrics
from jetssl.training.pretrain import pretrain
from jetssl.training.run_folder import RunFolder
from resim.common.errors import InputError
from tests.helpers.toys import ENCODER_OVERRIDES as ENCODERS
from tests.helpers.toys import forget_the_end


@pytest.mark.slow
@pytest.mark.parametrize("name", list(ENCODERS))
def test_jets_of_one_constituent_train_every_encoder(card_file, tmp_path, monkeypatch, name):
    def hardest_only(*arguments):
        table = read_jets(*arguments)
        return replace(table, counts=np.minimum(table.counts, 1))

    monkeypatch.setattr(reading, "read_jets", hardest_only)
    card = load_card(card_file, [ENCODERS[name], "training.epochs=1", "data.features=full"])
    run = RunFolder(tmp_path / "run")
    pretrain(card, run, quiet=True)
    (row,) = read_metrics(run.metrics)
    assert math.isfinite(row["loss"])
    assert math.isfinite(row["validation_loss"])
    state = torch.load(run.last, weights_only=True)["state_dict"]
    assert all(value.isfinite().all() for value in state.values())


@pytest.fixture
def few(table, monkeypatch):
    rows = replace(table.rows, valid=table.rows.valid & (np.arange(table.rows.n_rows) < 30))
    monkeypatch.setattr(program, "rows_of", lambda *_: rows)


@pytest.mark.slow
@pytest.mark.parametrize("encoder", ["transformer", "particlenet"])
@pytest.mark.parametrize("objective", list(METHODS))
def test_the_smallest_batch_trains_every_objective(card_file, few, tmp_path, objective, encoder):
    """Two rows; a batch of one has nothing to be contrasted with, and the card refuses it."""
    overrides = ["data.batch_size=2", "training.epochs=1", f"objective.name={objective}", ENCODERS[encoder]]
    run = RunFolder(tmp_path / "run")
    pretrain(load_card(card_file, [*overrides, "projector.batch_norm=true"]), run, quiet=True)
    (row,) = read_metrics(run.metrics)
    assert math.isfinite(row["loss"])
    assert math.isfinite(row["validation_loss"])


def test_views_that_are_never_both_valid(card, table, tmp_path, monkeypatch):
    rows = table.rows
    only = np.arange(rows.n_rows) % len(rows.views) == np.arange(len(rows.views))[:, None]
    monkeypatch.setattr(program, "rows_of", lambda *_: replace(rows, valid=rows.valid & only))
    with pytest.raises(InputError, match="the training split has 0 rows with two valid views that views") as caught:
        pretrain(card, RunFolder(tmp_path / "run"), quiet=True)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["part", "rs3l_gnn"])
def test_checkpoint_of_another_encoder(card_file, tmp_path, finished_run, name):
    other = RunFolder(tmp_path / "other")
    pretrain(load_card(card_file, [ENCODERS[name], "training.epochs=1"]), other, quiet=True)
    run, card = RunFolder(tmp_path / "run"), load_card(card_file, ["training.epochs=1"])
    pretrain(card, run, quiet=True)
    forget_the_end(run)
    run.last.write_bytes(other.last.read_bytes())
    with pytest.raises(InputError, match=rf"last\.ckpt: comes from a training of encoder '{name}' with another card"):
        pretrain(card, run, quiet=True)
    assert run.last.read_bytes() == other.last.read_bytes()
