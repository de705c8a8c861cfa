"""Memory that a process keeps instead of handing it back and fetching it again."""

import ctypes
import subprocess
import sys

import pytest

from jetssl.common import allocator

FAULTS_OF_A_SECOND_BLOCK = """
import resource, sys
import numpy as np
from jetssl.common.allocator import keep_memory
if sys.argv[1] == "keep":
    assert keep_memory()
np.ones(2**23)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    np.ones(2**23)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def is_glibc():
    return sys.platform.startswith("linux") and hasattr(ctypes.CDLL(None), "gnu_get_libc_version")


def page_faults(mode):
    # Huge pages, which numpy asks for, would hide what is counted.
    result = subprocess.run(
        [sys.executable, "-c", FAULTS_OF_A_SECOND_BLOCK, mode],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path), "NUMPY_MADVISE_HUGEPAGE": "0"},
    )
    return int(result.stdout)


@pytest.mark.skipif(not is_glibc(), reason="mallopt is glibc's")
def test_freed_blocks_are_used_again():
    assert page_faults("keep") < 1000 < 10 * 2**23 * 8 / 4096 / 2 < page_faults("default")


@pytest.mark.parametrize(("platform", "library"), [("darwin", None), ("linux", object())])
def test_elsewhere_nothing_happens(monkeypatch, platform, library):
    monkeypatch.setattr(allocator.sys, "platform", platform)
    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda name: library)
    assert not allocator.keep_memory()
