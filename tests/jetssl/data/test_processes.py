"""Another process answers; the failures of `ReadingProcess` are tested in test_reading."""

import pickle
from io import BytesIO

import pytest

from jetssl.data.processes import NEWEST, Helper
from resim.common.errors import InputError

PROGRAM = """
import os
from jetssl.data.processes import answer_requests

def prepare(factor):
    if factor == 0:
        raise ValueError("no factor")
    os.write(1, b"a banner")
    return lambda number: factor * (1 / number)

def serve():
    answer_requests(prepare)
"""


@pytest.fixture
def helper(tmp_path, monkeypatch):
    (tmp_path / "program_of_a_helper.py").write_text(PROGRAM)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    started = []

    def start(setup):
        started.append(Helper("program_of_a_helper", setup, "the helper ended with status {status}; do without"))
        return started[-1]

    yield start
    for one in started:
        one.close()


def test_requests_are_answered_and_what_goes_wrong_is_raised_here(helper):
    """Whatever a library prints on stdout, as C++ does."""
    one = helper(3.0)
    one.request(2)
    assert one.receive() == 1.5
    one.request(0)
    with pytest.raises(ZeroDivisionError):
        one.receive()
    one.request(1)
    assert one.receive() == 3.0
    one._process.kill()
    one.request(1)
    with pytest.raises(InputError, match="the helper ended with status -9; do without"):
        one.receive()


def test_a_process_that_dies_within_an_answer_is_one_line_too(helper):
    one = helper(1.0)
    one._process.kill()
    one._process.wait()
    one._answers = BytesIO(pickle.dumps("half of it", NEWEST)[:-3])
    with pytest.raises(InputError, match="the helper ended with status -9"):
        one.receive()


def test_a_setup_that_fails_is_the_answer(helper):
    one = helper(0)
    one.request(1)
    with pytest.raises(ValueError, match="no factor"):
        one.receive()
