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
from tests.helpers.forked import MAIN, run_program, start_program
from tests.helpers.programs import ENVIRONMENT
from tests.helpers.waiting import wait_until


def words_for(card_file, run, epochs):
    return "train", card_file, "training.devices=2", f"training.epochs={epochs}", "-o", run.path


@contextmanager
def training(card_file, run):
    """The command in the middle of a training, and its two processes."""
    parent = start_program(MAIN, *words_for(card_file, run, 1000))
    wait_until(lambda: parent.returncode is not None or run.last.is_file())
    children = [p for p in psutil.Process(parent.pid).children() if "jetssl" in p.cmdline()]
    assert len(children) == 2
    try:
        yield parent, children
    finally:
        for process in children:
            with suppress(psutil.NoSuchProcess):
                process.kill()


@pytest.mark.slow
def test_one_process_for_each_device(card_file, tmp_path):
    run = RunFolder(tmp_path / "run")
    done = run_program(MAIN, *words_for(card_file, run, 1))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("trained, 1 epochs") == 1
    assert done.stderr.count("\n") == done.stderr.count("ETA") == 1
    provenance = run.load_provenance()
    assert provenance.finished is not None
    assert provenance.processes == 2


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
@pytest.mark.parametrize("killed", ["the command", "a process"])
def test_nobody_trains_on_alone(card_file, tmp_path, killed):
    """The processes of a command that was killed stop, as its lock has gone; a process that was killed is named."""
    with training(card_file, RunFolder(tmp_path / "run")) as (parent, children):
        if killed == "the command":
            os.kill(parent.pid, signal.SIGKILL)
        else:
            children[1].kill()
        assert psutil.wait_procs(children, timeout=60)[1] == []
        done = parent.wait()
    if killed == "a process":
        assert done.returncode == 128 + 9
        assert "process 1 of 2 was killed by signal 9" in done.stderr


@pytest.mark.slow
def test_preemption_reaches_all_processes(card_file, tmp_path):
    """SIGUSR1 to the command alone: all save and stop after one batch, and the status says that it can go on."""
    run = RunFolder(tmp_path / "run")
    with training(card_file, run) as (parent, children):
        os.kill(parent.pid, signal.SIGUSR1)
        done = parent.wait()
        assert psutil.wait_procs(children, timeout=60)[1] == []
    assert done.returncode == 75
    assert done.stderr.splitlines()[-1] == f"jetssl: preempted (SIGUSR1); the same command resumes {run.path}"
    assert run.load_provenance().finished is None
    assert torch.load(run.last, weights_only=True)["global_step"] > 0
