"""What libraries of other languages print goes nowhere inside the block, and only there."""

import os

import pytest

from resim.common.silence import stdout_silenced


def test_only_the_block_is_silent(capfd):
    os.write(1, b"before ")
    with stdout_silenced():
        os.write(1, b"inside ")
    os.write(1, b"after")
    assert capfd.readouterr().out == "before after"


def test_an_error_gives_stdout_back(capfd):
    with pytest.raises(RuntimeError), stdout_silenced():
        raise RuntimeError
    os.write(1, b"after")
    assert capfd.readouterr().out == "after"
