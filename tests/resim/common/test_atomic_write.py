"""A file is there whole, or not at all; what was there before survives."""

import errno
import os
import stat
from pathlib import Path

import pytest

from resim.common.atomic_write import OTHER_OUTPUT, atomic_write, not_written, partial_path, write_bytes, write_text
from resim.common.errors import InputError

FULL = OSError(errno.ENOSPC, "No space left on device")


def test_the_file_appears_when_the_block_has_ended(tmp_path):
    path = tmp_path / "file"
    with atomic_write(path) as partial:
        partial.write_text("new")
        assert partial.parent == tmp_path
        assert not path.exists()
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [FULL, ValueError("stop"), KeyboardInterrupt()])
def test_an_older_file_survives_any_error(tmp_path, error):
    path = tmp_path / "file"
    path.write_text("before")
    wanted = InputError if isinstance(error, OSError) else type(error)

    def write_and_fail():
        with atomic_write(path) as partial:
            partial.write_text("half")
            raise error

    with pytest.raises(wanted):
        write_and_fail()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_on_the_way_to_the_disk_counts(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_text(path, "before")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(FULL))
    with pytest.raises(InputError, match=r"file: cannot be written \(No space left on device\).*make room and run"):
        write_text(path, "after")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_the_content_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    path, done = tmp_path / "file", []
    monkeypatch.setattr(os, "fsync", lambda number: done.append((os.fstat(number).st_size, path.exists())))
    write_bytes(path, b"12345")
    assert done == [(5, False)]


def test_permissions_are_those_of_a_new_file(tmp_path):
    path, other = tmp_path / "file", tmp_path / "other"
    previous = os.umask(0o027)
    try:
        write_bytes(path, b"")
        other.touch()
    finally:
        os.umask(previous)
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(other.stat().st_mode) == 0o640


def test_writing_text_makes_the_folder(tmp_path):
    write_text(tmp_path / "a" / "b" / "file", "η ≤ 2.5")
    assert (tmp_path / "a" / "b" / "file").read_text(encoding="utf-8") == "η ≤ 2.5"


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot be written \(.*\); .*: make its folder writable"):
        write_text(tmp_path / "file" / "below", "text")


def test_the_temporary_name_is_hidden_and_in_the_same_folder(tmp_path):
    assert partial_path(tmp_path / "pairs.h5") == tmp_path / ".pairs.h5.partial"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (FULL, "x: cannot be written (No space left on device); make room or choose another -o"),
        (
            PermissionError(errno.EACCES, "Permission denied"),
            "x: cannot be written (Permission denied); make its folder writable or choose another -o",
        ),
        (OSError("two\nlines"), "x: cannot be written (two lines); make its folder writable or choose another -o"),
    ],
)
def test_the_error_names_file_reason_and_remedy(error, message):
    assert str(not_written(Path("x"), error, OTHER_OUTPUT)) == message
