"""Programs and their children import nothing from the folder in which they are started."""

import os
import subprocess
import sys

import pytest

from tests.helpers.chain import REPOSITORY

STRANGERS = ("selectors.py", "numpy.py", "resim.py", "h5py.py", "jetssl.py")


@pytest.fixture
def folder(tmp_path):
    """A folder with modules of common names, each of which leaves a trace when it is imported."""
    for name in STRANGERS:
        (tmp_path / name).write_text(f"open({str(tmp_path / 'trace')!r}, 'a').write(__name__)\n")
    return tmp_path


@pytest.mark.slow
def test_workers_do_not_import_from_the_working_directory(folder):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    environment.pop("PYTHONSAFEPATH", None)
    code = "from resim.cli import main; main()"  # -P: as the console script, which has its own folder in sys.path
    command = [sys.executable, "-P", "-c", code, "generate", str(REPOSITORY / "cards/generate/demo.yaml")]
    command += ["-o", "pairs.h5", "-n", "2", "--chunk-size", "1", "-j", "2", "--quiet"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not (folder / "trace").exists()


def test_the_reading_process_does_not(folder, monkeypatch):
    from jetssl.data.reading import ReadingProcess
    from jetssl.data.rows import rows_of
    from resim.pairfile.mock import write_mock

    rows = rows_of([write_mock(folder / "pairs.h5", n_rows=8)])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    monkeypatch.chdir(folder)
    process = ReadingProcess(rows, ())
    process.request(__import__("numpy").arange(8))
    assert process.receive().counts.shape[1] == 8
    process.close()
    assert not (folder / "trace").exists()
