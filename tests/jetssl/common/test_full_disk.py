"""A training on a full disk: one line, the last good checkpoint survives, and the same command goes on from it."""

import errno
import subprocess
import sys
import threading

import pytest
import torch

from jetssl.common.full_disk import full_disk_is_one_line
from jetssl.config.card import load_card
from jetssl.training.epoch_metrics import read_metrics
from jetssl.training.pretrain import pretrain
from jetssl.training.run_folder import RunFolder
from resim.common.errors import InputError
from tests.helpers.forked import run_program
from tests.helpers.programs import ENVIRONMENT, NAMESPACE, want_namespace
from tests.helpers.toys import CARD

FULL = OSError(errno.ENOSPC, "No space left on device")
LIMITED = """
import resource, sys
from jetssl.training import pretrain
from jetssl.cli import main
from jetssl.training.epoch_log import EpochLog

name, size = sys.argv.pop(1), int(sys.argv.pop(1))
limit = lambda *_: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
if name == "now":
    limit()
else:  # once the second epoch is logged, which is before its checkpoints are written
    after = EpochLog.on_train_epoch_end
    def end(self, trainer, module):
        after(self, trainer, module)
        if trainer.current_epoch == 1:
            limit()
    EpochLog.on_train_epoch_end = end
main()
"""


@pytest.fixture(scope="module")
def four_epochs(tmp_path_factory, mock_file):
    """A training that nothing has disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "card.yaml").write_text(CARD.format(file=mock_file))
    whole = RunFolder(folder / "run")
    pretrain(load_card(folder / "card.yaml", ["training.epochs=4"]), whole, quiet=True)
    return whole


def states(run):
    return [torch.load(path, weights_only=True)["state_dict"] for path in (run.best, run.last)]


def assert_same(run, whole):
    for found, wanted in zip(states(run), states(whole), strict=True):
        assert all(torch.equal(value, found[name]) for name, value in wanted.items())
    losses = [[row["validation_loss"] for row in read_metrics(folder.metrics)] for folder in (run, whole)]
    assert losses[0] == losses[1]
    assert not list(run.path.rglob("*.partial"))


@pytest.mark.slow
@pytest.mark.parametrize(("when", "size"), [("later", 4000), ("now", 1500)])
def test_a_limit_on_files_stands_for_a_full_disk(four_epochs, card_file, tmp_path, when, size):
    run = RunFolder(tmp_path / "run")
    words = ["train", card_file, "training.epochs=4", "-o", run.path, "--quiet"]
    failed = run_program(LIMITED, when, size, *words)
    assert failed.returncode == 1, failed.stderr
    assert failed.stderr.count("\n") == 1, failed.stderr
    assert failed.stderr.startswith(f"jetssl: {run.path}")
    assert "cannot be written (File too large); what was finished before is kept: make room and" in failed.stderr
    assert not list(run.path.rglob("*.partial"))
    if when == "later":
        assert torch.load(run.last, weights_only=True)["epoch"] == 0
    pretrain(four_epochs.load_card(), run, quiet=True)
    assert_same(run, four_epochs)


FULL_DISK = """
import os, subprocess, sys
import jetssl.training.pretrain
from jetssl.cli import main

disk, keep, card, *sizes = sys.argv[1:]
mount = lambda *options: subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", disk], check=True)
home = os.getcwd()
for size in sizes:
    mount("size=64m")
    os.chdir(disk)
    mount("remount", f"size={size}")
    sys.argv = ["jetssl", "train", card, "training.epochs=4", "-o", "run", "--quiet"]
    if (child := os.fork()) == 0:
        main()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    mount("remount", "size=64m")
    subprocess.run(["cp", "-r", "run", f"{keep}/{size}"], check=True)
    os.chdir(home)
    subprocess.run(["umount", disk], check=True)
"""


@pytest.mark.slow
def test_a_disk_that_is_really_full_loses_nothing(four_epochs, card_file, tmp_path):
    """Too small for some of what a run writes, in a mount namespace of its own; then there is room again.

    At 40 % of what an epoch leaves there is no room for the first checkpoint; at 110 %, none for a second one
    beside the first.
    """
    want_namespace("test_a_limit_on_files_stands_for_a_full_disk")
    (tmp_path / "small").mkdir()
    one = RunFolder(tmp_path / "one")
    pretrain(load_card(card_file, ["training.epochs=1"]), one, quiet=True)
    used = sum(512 * path.stat().st_blocks for path in one.path.rglob("*"))
    sizes = [str(used * fill // 100) for fill in (40, 110)]
    places = [str(place) for place in (tmp_path / "small", tmp_path, card_file)]
    command = [*NAMESPACE, sys.executable, "-c", FULL_DISK, *places, *sizes]
    settings = ENVIRONMENT | {"TMPDIR": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=settings)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    said = done.stderr.splitlines()
    assert [line.count("cannot be written (No space left on device)") for line in said] == [1, 1]
    for size in sizes:
        kept = RunFolder(tmp_path / size)
        pretrain(four_epochs.load_card(), kept, quiet=True)
        assert_same(kept, four_epochs)


def fail(error, cause=None):
    raise error from cause


@pytest.mark.parametrize(
    ("block", "kind", "message"),
    [
        (lambda: fail(FULL), InputError, "runs: cannot be written .No space left"),
        (lambda: fail(ValueError("you tried to log"), FULL), InputError, "runs: cannot be written .No space left"),
        (lambda: fail(OSError(errno.ENOSPC, "No", "runs/x")), InputError, "runs/x: cannot be written .No.;"),
        (lambda: fail(FULL, InputError("known")), InputError, "^known$"),
        (lambda: fail(OSError(errno.ENOENT, "No such file")), OSError, "No such file"),
        (lambda: fail(ValueError("other")), ValueError, "other"),
    ],
)
def test_errors_of_libraries(tmp_path, block, kind, message):
    with pytest.raises(kind, match=message), full_disk_is_one_line(tmp_path / "runs"):
        block()


def test_threads_say_nothing_of_a_full_disk(tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(threading, "excepthook", told.append)
    with full_disk_is_one_line(tmp_path):
        for error in (FULL, ValueError("other")):
            thread = threading.Thread(target=fail, args=(error,))
            thread.start()
            thread.join()
    assert [type(caught.exc_value) for caught in told] == [ValueError]
