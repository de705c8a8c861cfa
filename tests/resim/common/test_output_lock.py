"""The second writer of an output is told who holds it; a writer that was killed holds nothing."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from resim.common.atomic_write import write_text
from resim.common.errors import InputError
from resim.common.hdf5_output import Hdf5Output
from resim.common.output_lock import lock_path, locked
from tests.helpers.locks import held_by_another_process
from tests.helpers.programs import ENVIRONMENT


def test_the_second_writer_is_told_who_writes(tmp_path):
    path = tmp_path / "file"
    message = r"file: process \d+ on \S+, since 2\S+, is writing it; wait for that, or choose another output"
    with held_by_another_process(path) as process:
        for write in (lambda: write_text(path, "text"), lambda: Hdf5Output(path), locked(path).__enter__):
            with pytest.raises(InputError, match=message.replace(r"\d+", str(process.pid), 1)):
                write()
    write_text(path, "text")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_killed_writer_holds_nothing(tmp_path):
    path = tmp_path / "file"
    with held_by_another_process(path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert lock_path(path).exists()
        with locked(path):
            assert f"process {os.getpid()} on " in lock_path(path).read_text()
        assert not lock_path(path).exists()


def test_a_command_locks_its_output_and_so_does_what_writes_it(tmp_path):
    with locked(tmp_path / "file"):
        write_text(tmp_path / "file", "text")
        with pytest.raises(ZeroDivisionError), locked(tmp_path / "file"):
            _ = 1 / 0
        assert lock_path(tmp_path / "file").exists()
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_threads_are_writers_of_their_own(tmp_path):
    with locked(tmp_path / "file"), ThreadPoolExecutor(1) as pool:  # the pool waits for its threads
        second = pool.submit(write_text, tmp_path / "file", "text")
    with pytest.raises(InputError, match=f"process {os.getpid()} on .* is writing it"):
        second.result()


def test_the_lock_lies_beside_the_output_or_the_first_folder_that_exists(tmp_path, monkeypatch):
    assert lock_path(tmp_path / "file") == tmp_path / ".file.lock"
    assert lock_path(tmp_path / "a" / "b" / "file") == tmp_path / ".a.lock"
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert lock_path(tmp_path / "link") == tmp_path / ".file.lock"
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert lock_path(tmp_path / "here" / ".") == tmp_path / ".here.lock"


def test_a_lock_that_its_last_holder_removes_is_not_taken(tmp_path, monkeypatch):
    """Between opening and locking: there is a new file then, and that is the lock."""
    path = lock_path(tmp_path / "file")
    path.touch()
    opened = []

    def open_and_lose(*arguments):
        opened.append(real(*arguments))
        if len(opened) == 1:
            path.unlink()
        return opened[-1]

    real = os.open
    monkeypatch.setattr(os, "open", open_and_lose)
    with locked(tmp_path / "file"):
        assert len(opened) == 2
        assert os.path.samestat(os.fstat(opened[1]), path.stat())


@pytest.mark.parametrize("number", [5, 28, 30, 40])  # EIO, ENOSPC, EROFS, ELOOP
def test_where_no_lock_can_be_made_there_is_none(tmp_path, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", refuse)
    with locked(tmp_path / "file"):
        assert not list(tmp_path.iterdir())


def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path):
    (tmp_path / "precious").write_text("content")
    lock_path(tmp_path / "file").symlink_to(tmp_path / "precious")
    write_text(tmp_path / "file", "text")
    assert (tmp_path / "precious").read_text() == "content"


def test_what_a_process_starts_works_under_its_lock(tmp_path):
    """A grandchild is told of the lock as everybody else."""
    code = f"from resim.common.output_lock import locked\nwith locked({str(tmp_path / 'file')!r}): print('writes')"
    grandchild = f"import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', {code!r}]).returncode)"
    with locked(tmp_path / "file"):
        child, other = (
            subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, env=ENVIRONMENT, check=False)
            for text in (code, grandchild)
        )
        assert lock_path(tmp_path / "file").exists()
    assert (child.returncode, child.stdout) == (0, "writes\n")
    assert other.returncode == 1
    assert f"process {os.getpid()} on" in other.stderr
