"""How a training ends too early, in one process and in two, and goes on as if nothing had been."""

import signal

import pytest
import torch

from jetssl.config.card import load_card
from jetssl.training.epoch_metrics import read_metrics
from jetssl.training.pretrain import pretrain
from jetssl.training.run_folder import RunFolder, State
from resim.common.commandline import END_OF_JOB
from tests.helpers.forked import start_program
from tests.helpers.programs import free_port
from tests.helpers.teams import team_variables
from tests.helpers.toys import CARD, forget_the_end

WORKER = """
import os, signal
from jetssl.cli import main
from jetssl.methods.two_views import Contrastive
from jetssl.training.epoch_log import EpochLog

fault, rank = os.environ.get("FAULT"), int(os.environ["RANK"])


def on_train_batch_end(self, trainer, *_):
    if trainer.current_epoch == 2 and trainer.global_step % 10 == 3 and rank == 1:
        if fault == "interrupt":
            os.killpg(0, signal.SIGINT)  # as a terminal does
        if fault == "kill":
            os.kill(os.getpid(), signal.SIGKILL)


def compare(self, *arguments):
    loss = right(self, *arguments)["loss"]
    return {"loss": loss * float("nan") if rank == 1 and self.current_epoch == 2 else loss}


EpochLog.on_train_batch_end = on_train_batch_end
right = Contrastive.compare
if fault == "nan":
    Contrastive.compare = compare
main()
"""
RESUME = """
import sys
from pathlib import Path
from tests.helpers.teams import gloo
from jetssl.config.card import load_card
from jetssl.training.pretrain import pretrain
from jetssl.training.run_folder import RunFolder

with gloo():
    for folder in sys.argv[4:]:
        pretrain(load_card(Path(sys.argv[1]), sys.argv[2:4]), RunFolder(Path(folder)), quiet=True)
"""
FAULTS = {
    "kill": "another of the 2 processes has ended, or cannot be reached",
    "nan": "the gradient was not finite in 5 steps in a row, the last one of batch 5 in epoch 3; lower training",
    "interrupt": "interrupted; the same command resumes {run}",
}
STATUS = {"kill": [1, -signal.SIGKILL], "nan": [1, 1], "interrupt": [130, 130]}
EPOCHS = "training.epochs=4"
DROPOUT = "encoder.dropout=0.1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, mock_file):
    folder = tmp_path_factory.mktemp("stopping")
    (folder / "card.yaml").write_text(CARD.format(file=mock_file))
    return folder


def run_two(code, *arguments, fault=""):
    """Two processes that train together, with what torchrun tells them, in a process group of their own."""
    port, team = free_port(), []
    for rank in range(2):
        variables = team_variables(rank, port) | {"FAULT": fault}
        team.append(start_program(code, *arguments, environment=variables, group=team[0].pid if team else 0))
    return [one.wait() for one in team]


def assert_same(run, whole):
    for name in ("best", "last"):
        found, wanted = (torch.load(getattr(one, name), weights_only=True) for one in (run, whole))
        assert all(torch.equal(value, found["state_dict"][key]) for key, value in wanted["state_dict"].items())
    losses = [[row["validation_loss"] for row in read_metrics(one.metrics)] for one in (run, whole)]
    assert losses[0] == losses[1]


@pytest.mark.slow
def test_two_processes_that_end_too_early_are_resumed_to_the_bit(folder):
    """Who is left says one line; the same two processes resume all three, and train once undisturbed."""
    card, whole = folder / "card.yaml", RunFolder(folder / "whole")
    runs = {fault: RunFolder(folder / fault) for fault in FAULTS}
    for fault, run in runs.items():
        ended = run_two(WORKER, "train", card, EPOCHS, DROPOUT, "-o", run.path, "--quiet", fault=fault)
        assert [one.returncode for one in ended] == STATUS[fault], ended
        assert [one.stdout for one in ended] == ["", ""]
        # The first to be interrupted speaks, whichever it is.
        (ours,) = "".join(one.stderr for one in ended).splitlines()
        assert ours.startswith("jetssl: ")
        assert FAULTS[fault].format(run=run.path) in ours
        assert run.load_provenance().finished is None
    done = run_two(RESUME, card, EPOCHS, DROPOUT, *(run.path for run in (whole, *runs.values())))
    assert [one.returncode for one in done] == [0, 0], done
    for run in runs.values():
        assert run.load_provenance().resumed == 1
        assert_same(run, whole)


@pytest.mark.parametrize(
    "overrides",
    [
        ["training.epochs=1"],
        ["training.epochs=30", "training.patience=1", "training.learning_rate=0.5", "training.warmup=0.9"],
    ],
)
def test_an_end_that_was_not_written_down_is_found_again(card_file, tmp_path, overrides):
    run, card = RunFolder(tmp_path / "run"), load_card(card_file, overrides)
    pretrain(card, run, quiet=True)
    before, metrics = torch.load(run.last, weights_only=True), run.metrics.read_text()
    assert before["epoch"] + 1 < 30
    forget_the_end(run)
    outcome = pretrain(card, run, quiet=True)
    assert outcome.state is State.FINISHED
    after = torch.load(run.last, weights_only=True)
    assert after["epoch"] == before["epoch"]
    assert all(torch.equal(value, after["state_dict"][key]) for key, value in before["state_dict"].items())
    assert run.metrics.read_text() == metrics


def test_signals_are_handled_as_before(card_file, tmp_path):
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, *END_OF_JOB)]
    card = load_card(card_file, ["training.epochs=1"])
    pretrain(card, RunFolder(tmp_path / "run"), quiet=True)
    assert [signal.getsignal(number) for number in (signal.SIGINT, *END_OF_JOB)] == handlers
