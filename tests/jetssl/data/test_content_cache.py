"""Pair files are read whole once per content."""

import os
from functools import wraps

import pytest

from jetssl.data import rows
from jetssl.data.content_cache import cached
from resim.common.errors import InputError
from resim.pairfile.mock import write_mock


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "x.txt"
    path.write_text("abc")
    return path


@pytest.fixture
def calls():
    return []


@pytest.fixture
def content(calls):
    def find(path):
        calls.append(path)
        return path.read_text()

    return find


def test_found_once_per_content(file, content, calls):
    assert [cached(file, content) for _ in range(3)] == ["abc"] * 3
    assert len(calls) == 1
    file.write_text("abcd")
    assert cached(file, content) == "abcd"
    file.write_text("dcba")
    os.utime(file, ns=(1, 1))
    assert cached(file, content) == "dcba"
    assert len(calls) == 3


def test_errors_are_not_kept(file):
    def find(path):
        raise InputError("bad")

    for _ in range(2):
        with pytest.raises(InputError, match="bad"):
            cached(file, find)


def test_no_cache_where_it_cannot_be_written(file, content, calls, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))  # a file is no folder
    assert [cached(file, content) for _ in range(2)] == ["abc"] * 2
    assert len(calls) == 2


def test_a_second_look_at_rows_reads_no_file_whole(file, tmp_path, monkeypatch, calls):
    path = write_mock(tmp_path / "pairs.h5", 20)

    def counted(function):
        @wraps(function)
        def call(path):
            calls.append(function.__name__)
            return function(path)

        return call

    for name in ("violations", "digest"):
        monkeypatch.setattr(rows, name, counted(getattr(rows, name)))
    first, second = (rows.rows_of([path]) for _ in range(2))
    assert calls == ["violations", "digest"]
    assert first.files == second.files
