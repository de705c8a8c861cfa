"""External programs: where they run, what an error says, and what stays behind."""

import sys

import pytest

from resim.common.errors import InputError
from resim.common.external import last_line, run_logged, scratch_folder


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


def test_a_long_last_line_is_cut(tmp_path):
    (tmp_path / "log").write_text("a\n" + 300 * "b" + "\n\n \n")
    assert last_line(tmp_path / "log") == 200 * "b"
