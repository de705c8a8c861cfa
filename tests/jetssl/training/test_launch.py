"""The command starts a process for each device."""

import os
import signal
from contextlib import contextmanager, suppress

import psutil
import pytest
import torch

from jetssl.training import launch as module
from jetssl.training.launch import launch
from jetssl.training.run_folder import RunFolder
from tests.helpers.forked import MAIN, start_program
from tests.helpers.programs import ENVIRONMENT
from tests.helpers.waiting import wait_until


@contextmanager
def training(card_file, run):
    """The command in the middle of a training, and its two processes."""
    parent = start_program(MAIN, "train", card_file, "training.devices=2", "training.epochs=1000", "-o", run.path)
    wait_until(lambda: parent.returncode is not None or run.last.is_file())
    children = [p for p in psutil.Process(parent.pid).children() if "jetssl" in p.cmdline()]
    assert len(children) == 2
    try:
        yield parent, children
    finally:
        for process in children:
            with suppress(psutil.NoSuchProcess):
                process.kill()


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Runs a shell program in place of the interpreter in each of two processes; returns the status."""

    def run(program):
        script = tmp_path / "python"
        script.write_text(f"#!/bin/sh\n{program}\n")
        script.chmod(0o755)
        monkeypatch.setattr(module.sys, "executable", str(script))
        return launch(["train"], 2)

    return run


def test_each_process_knows_which_it_is(stand_in, tmp_path):
    assert stand_in(f'echo "$WORLD_SIZE $*" > {tmp_path}/$RANK') == 0
    assert [(tmp_path / rank).read_text() for rank in "01"] == ["2 -m jetssl train\n"] * 2


def test_a_process_that_was_killed_is_named_and_the_other_one_ends(stand_in, tmp_path, caplog):
    """Process 1 dies when the other one has said its number."""
    told = f"until [ -s {tmp_path}/0 ]; do :; done; kill -9 $$"
    assert stand_in(f"[ $RANK = 0 ] || {{ {told}; }}; echo $$ > {tmp_path}/0; exec sleep 1000") == 128 + 9
    assert "process 1 of 2 was killed by signal 9" in caplog.text
    assert not psutil.pid_exists(int((tmp_path / "0").read_text()))


@pytest.mark.slow
def test_bad_input_is_said_once(tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", ENVIRONMENT["PYTHONPATH"])
    assert launch(["train", str(tmp_path / "missing.yaml"), "-o", str(tmp_path / "new")], 2) == 1
    assert capfd.readouterr().err.splitlines() == [
        f"jetssl: {tmp_path / 'missing.yaml'}: cannot be read (No such file or directory); want a YAML card"
    ]
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(("asked", "seconds"), [(None, 600), ("1200", 1200)])
def test_processes_have_time_to_save(monkeypatch, asked, seconds):
    """Longer than torch's 30 s, unless the user says how long."""
    name, told = "TORCH_ELASTIC_SHUTDOWN_TIMEOUT", []
    monkeypatch.setenv(name, asked or "")
    if asked is None:
        monkeypatch.delenv(name)
    monkeypatch.setattr(module, "elastic_launch", lambda config, _: lambda *words: told.append(config))
    assert launch(["train"], 2) == 0
    assert os.environ[name] == str(seconds)
    assert getattr(told[0], "shutdown_timeout", seconds) == seconds  # older versions of torch have no such field


@pytest.mark.slow
def test_nobody_trains_on_alone(card_file, tmp_path):
    """The processes of a command that was killed stop, as its lock has gone."""
    with training(card_file, RunFolder(tmp_path / "run")) as (parent, children):
        os.kill(parent.pid, signal.SIGKILL)
        assert psutil.wait_procs(children, timeout=60)[1] == []


@pytest.mark.slow
def test_preemption_reaches_all_processes(card_file, tmp_path):
    """SIGUSR1 to the command alone: all save and stop after one batch, and one says it, and each epoch."""
    run = RunFolder(tmp_path / "run")
    with training(card_file, run) as (parent, children):
        os.kill(parent.pid, signal.SIGUSR1)
        done = parent.wait()
        assert psutil.wait_procs(children, timeout=60)[1] == []
    assert done.returncode == 75
    *before, last = done.stderr.splitlines()
    epochs = [line.split()[1] for line in before if line.startswith("epoch")]
    assert epochs == [f"{k + 1}/1000" for k in range(len(epochs))] != []
    assert last == f"jetssl: preempted (SIGUSR1); the same command resumes {run.path}"
    provenance = run.load_provenance()
    assert provenance.finished is None
    assert provenance.processes == 2
    assert torch.load(run.last, weights_only=True)["global_step"] > 0
