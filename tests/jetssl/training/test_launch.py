"""The command starts a process for each device."""

import subprocess

import pytest

from jetssl.training.run_folder import RunFolder
from tests.helpers.programs import ENVIRONMENT, JETSSL


@pytest.mark.slow
def test_one_process_for_each_device(card_file, tmp_path):
    """The command starts its processes; bad input is said once, with the status of bad input."""

    def run(*arguments):
        command = [*JETSSL, "train", str(card_file), "training.devices=2", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)

    good = run("training.epochs=1", "-o", tmp_path / "run")
    assert good.returncode == 0, good.stderr
    assert good.stdout.count("trained, 1 epochs") == 1
    assert good.stderr.count("\n") == good.stderr.count("ETA") == 1
    provenance = RunFolder(tmp_path / "run").load_provenance()
    assert provenance.finished is not None
    assert provenance.processes == 2
    bad = run("data.batch_size=15", "-o", tmp_path / "new")
    assert bad.returncode == 1
    assert bad.stderr.count("cannot share equally") == bad.stderr.count("\n") == 1
    assert not (tmp_path / "new").exists()
