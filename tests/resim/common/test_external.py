"""External programs: where they run, what an error says, and what stays behind."""

import sys

import pytest

from resim.common.errors import InputError
from resim.common.external import first_error, run_logged, scratch_folder


def test_a_program_runs_in_the_folder_of_its_log_without_input(tmp_path):
    code = "import os, sys; print(os.getcwd(), repr(sys.stdin.read()), os.environ['A'])"
    run_logged([sys.executable, "-c", code], tmp_path / "log", {"A": "b"})
    assert (tmp_path / "log").read_text() == f"{tmp_path} '' b\n"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("print('first'); print('the  reason\\n'); raise SystemExit(3)", "ended with exit status 3: the reason"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "was killed by SIGKILL: it printed nothing"),
    ],
)
def test_a_failure_quotes_the_last_line(tmp_path, code, message):
    with pytest.raises(InputError, match=message):
        run_logged([sys.executable, "-c", code], tmp_path / "log")


def test_a_program_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"`none -x` cannot be run \(No such file"):
        run_logged([str(tmp_path / "none"), "-x"], tmp_path / "log")


def test_a_scratch_folder_stays_only_for_an_error_that_points_to_it():
    with scratch_folder("test") as folder:
        (folder / "file").touch()
    assert not folder.exists()
    with pytest.raises(RuntimeError), scratch_folder("test") as folder:
        raise RuntimeError
    assert not folder.exists()
    with pytest.raises(InputError), scratch_folder("test") as folder:
        raise InputError(f"see {folder}")
    assert folder.is_dir()
    folder.rmdir()


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (
            '\x1b[1;31mCommand "launch" interrupted in sub-command:\n"import model heft" with error:\n'
            "InvalidCmd : No model heft\x1b[0m\nPlease report\n",
            "InvalidCmd : No model heft",
        ),
        (
            "Error in <TFile::TFile>: file out.root does not exist\n *** Break *** segmentation violation\n==========\n",
            "Error in <TFile::TFile>: file out.root does not exist",
        ),
        (" *** Break *** segmentation violation\n #1 0x0 in main\n=====\n", "*** Break *** segmentation violation"),
        ("0 errors so far\nthe last words\n=====\n\n", "the last words"),
        ("\n", "it printed nothing"),
    ],
)
def test_the_first_line_that_names_an_error_is_the_cause(said, cause):
    assert first_error(said) == cause


def test_a_program_that_fails_is_quoted(tmp_path):
    with pytest.raises(InputError, match="`sh -c` ended with exit status 3: Error: no PDF CT14lo"):
        run_logged(["sh", "-c", "echo Error: no PDF CT14lo; echo =====; exit 3"], tmp_path / "log")
