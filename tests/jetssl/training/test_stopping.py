"""How a training ends too early, in one process and in two, and goes on as if nothing had been."""

import os
import signal

import pytest
import torch

from jetssl.common.seeds import Stream
from jetssl.config.card import load_card
from jetssl.config.training import TrainingCard
from jetssl.data.batches import PairBatches
from jetssl.training import pretrain as program
from jetssl.training import stopping as stopping_module
from jetssl.training.epoch_log import EpochLog
from jetssl.training.epoch_metrics import read_metrics
from jetssl.training.pretrain import pretrain
from jetssl.training.run_folder import RunFolder, State
from jetssl.training.stopping import SaveAndStop
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


STREAMED = ("training.epochs=2", "training.ema=0.9", "data.buffer=64", "data.batch_size=8")


def pull_the_plug(epoch, batch):
    """A callback's method that ends the training after a batch, as a power cut does: nothing is saved any more."""

    def on_train_batch_end(self, trainer, *rest):
        if (trainer.current_epoch, rest[-1]) == (epoch, batch):
            raise RuntimeError("power cut")

    return on_train_batch_end


@pytest.mark.slow
def test_a_saved_step_is_where_a_training_goes_on(card_file, tmp_path, monkeypatch):
    """To the bit, and no batch that was used before is made again."""
    whole, broken = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "broken")
    pretrain(load_card(card_file, STREAMED), whole, quiet=True)
    card = load_card(card_file, [*STREAMED, "training.checkpoint_steps=4"])
    with monkeypatch.context() as patch:
        patch.setattr(EpochLog, "on_train_batch_end", pull_the_plug(1, 12))
        with pytest.raises(RuntimeError, match="power cut"):
            pretrain(card, broken, quiet=True)
    saved = torch.load(broken.last, weights_only=True)
    per_epoch = int(read_metrics(whole.metrics)[0]["step"])
    assert (saved["epoch"], saved["global_step"] % 4) == (1, 0)
    first = saved["global_step"] - per_epoch
    assert 8 < first <= 12
    made, make = [], PairBatches.batch
    monkeypatch.setattr(PairBatches, "batch", lambda self, i: (made.append((*self.address[1:], i)), make(self, i))[1])
    assert pretrain(load_card(card_file, STREAMED), broken, quiet=True).provenance.resumed == 1  # saved more seldom
    of_epoch = [index for stream, epoch, index in made if (stream, epoch) == (Stream.TRAINING_BATCH, 1)]
    assert of_epoch == list(range(first, per_epoch))
    assert not [address for address in made if address[:2] == (Stream.TRAINING_BATCH, 0)]
    assert_same(broken, whole)


def test_a_training_is_saved_by_time(card_file, tmp_path, monkeypatch):
    """So short a time has always passed; the last batch of an epoch is left to the checkpoint of the epoch."""
    written, save = [], program.lightning.Trainer.save_checkpoint
    monkeypatch.setattr(
        program.lightning.Trainer,
        "save_checkpoint",
        lambda self, path, *rest: (written.append(self.global_step), save(self, path, *rest)),
    )
    run = RunFolder(tmp_path / "run")
    pretrain(load_card(card_file, ["training.epochs=1", "training.checkpoint_minutes=1e-12"]), run, quiet=True)
    steps = int(read_metrics(run.metrics)[0]["step"])
    assert written == [*range(1, steps), steps, steps]  # of the epoch, best and last
    assert not SaveAndStop(run.last, TrainingCard(checkpoint_minutes=60))._is_time(step=4)


@pytest.mark.parametrize(("number", "preempted"), [(signal.SIGUSR1, True), (signal.SIGTERM, False)])
def test_a_signal_in_the_validation_waits_for_its_end(card_file, tmp_path, monkeypatch, number, preempted):
    card, run = load_card(card_file, ["training.epochs=3"]), RunFolder(tmp_path / "run")
    with monkeypatch.context() as patch:
        patch.setattr(EpochLog, "on_validation_batch_end", lambda *_: os.kill(os.getpid(), number))
        outcome = pretrain(card, run, quiet=True)
    assert (outcome.state, outcome.preempted) == (State.RESUMABLE, preempted)
    assert [row["epoch"] for row in read_metrics(run.metrics)] == [1]
    assert pretrain(card, run, quiet=True).state is State.FINISHED
    assert [row["epoch"] for row in read_metrics(run.metrics)] == [1, 2, 3]


@pytest.mark.parametrize(("processes", "wanted"), [(1, 1), (2, 2)])
def test_a_lone_training_outlives_its_shell(tmp_path, monkeypatch, processes, wanted):
    """Processes whose launcher has gone stop; one without a launcher goes on, as after `nohup` and a log-out."""
    stopping = SaveAndStop(tmp_path / "last.ckpt", TrainingCard())
    monkeypatch.setattr(os, "getppid", lambda: 1)
    monkeypatch.setattr(stopping_module, "n_processes", lambda: processes)
    monkeypatch.setattr(stopping_module.distributed, "all_reduce", lambda *_: None)
    assert stopping._wanted_by_any(1) == wanted


def test_the_second_ctrl_c_leaves_at_once(tmp_path):
    stopping = SaveAndStop(tmp_path / "last.ckpt", TrainingCard())
    for _ in range(2):
        stopping._note(signal.SIGUSR1)  # again and again, from Slurm and from torchrun
    assert stopping._wanted_by_any(0) == 3
    assert stopping.preempted
    other = SaveAndStop(tmp_path / "last.ckpt", TrainingCard())
    other._note(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        other._note(signal.SIGINT)
