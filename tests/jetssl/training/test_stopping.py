"""How a training ends too early, in one process and in two, and goes on as if nothing had been."""

import signal
import subprocess
import sys

import pytest
import torch

from jetssl.config.card import load_card
from jetssl.training.epoch_metrics import read_metrics
from jetssl.training.pretrain import pretrain
from jetssl.training.run_folder import RunFolder, State
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
