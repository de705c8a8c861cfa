"""How a training ends too early, in one process and in two, and goes on as if nothing had been."""

import os
import signal
import subprocess
import sys

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
from tests.helpers.programs import ENVIRONMENT, free_port
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
}
EPOCHS = "training.epochs=4"
DROPOUT = "encoder.dropout=0.1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, mock_file):
    folder = tmp_path_factory.mktemp("stopping")
    (folder / "card.yaml").write_text(CARD.format(file=mock_file))
    (folder / "worker.py").write_text(WORKER)
    (folder / "resume.py").write_text(RESUME)
    return folder


def torchrun(script, *arguments, fault=""):
    """Two processes, in a process group of their own with torchrun."""
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        script,
        *arguments,
    ]
    return subprocess.run(
        [*map(str, command)],
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT | {"FAULT": fault},
        start_new_session=True,
    )


def assert_same(run, whole):
    for name in ("best", "last"):
        found, wanted = (torch.load(getattr(one, name), weights_only=True) for one in (run, whole))
        assert all(torch.equal(value, found["state_dict"][key]) for key, value in wanted["state_dict"].items())
    losses = [[row["validation_loss"] for row in read_metrics(one.metrics)] for one in (run, whole)]
    assert losses[0] == losses[1]


@pytest.mark.slow
def test_two_processes_that_end_too_early_are_resumed_to_the_bit(folder):
    """What torchrun says of its own, a traceback among it, is not ours to change; we say one line.

    The same two processes resume all three, and train once with nothing that disturbs them.
    """
    card, whole, interrupted = folder / "card.yaml", RunFolder(folder / "whole"), RunFolder(folder / "ctrl")
    runs = {fault: RunFolder(folder / fault) for fault in FAULTS}
    for fault, run in runs.items():
        arguments = ("train", card, EPOCHS, DROPOUT, "-o", run.path, "--quiet")
        broken = torchrun(folder / "worker.py", *arguments, fault=fault)
        assert broken.returncode != 0
        assert broken.stdout == ""
        ours = [line for line in broken.stderr.splitlines() if line.startswith("jetssl: ")]
        assert len(ours) == 1, broken.stderr
        assert FAULTS[fault] in ours[0]
        assert "train/jetssl/" not in broken.stderr
        assert run.load_provenance().finished is None
    interrupt(folder, interrupted)
    stopped = [interrupted, *runs.values()]
    done = torchrun(folder / "resume.py", card, EPOCHS, DROPOUT, *(run.path for run in (whole, *stopped)))
    assert done.returncode == 0, done.stderr
    for run in stopped:
        assert run.load_provenance().resumed == 1
        assert_same(run, whole)


def interrupt(folder, run):
    """Ctrl-C in two processes without torchrun above them, whose own status would hide theirs."""
    port, group, processes = free_port(), 0, []
    for rank in range(2):
        command = [sys.executable, folder / "worker.py", "train", folder / "card.yaml", EPOCHS, DROPOUT]
        process = subprocess.Popen(
            [*map(str, command), "-o", str(run.path), "--quiet"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT | team_variables(rank, port) | {"FAULT": "interrupt"},
            process_group=group,
        )
        group = group or process.pid
        processes.append(process)
    said = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [130, 130], said
    # The first to be interrupted speaks, whichever it is.
    assert sorted(said) == [("", ""), ("", f"jetssl: interrupted; the same command resumes {run.path}\n")]


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
