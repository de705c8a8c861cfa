"""A few of the faults of `tests/fuzz/faults.py`, on the command that takes least time."""

import re
import shutil
import subprocess
import sys

import pytest

from tests.helpers.chain import REPOSITORY

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (shutil.which("cc") and sys.platform == "linux"), reason="needs cc and Linux's LD_PRELOAD"
    ),
]


def test_merging_survives_faults_at_random_points():
    """The second attempt ends with the digest of an undisturbed one."""
    command = [sys.executable, "-m", "tests.fuzz.faults", "3", "3", "merge"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(re.findall(r"^ +\d+ merge .* at +\d+: ok", done.stdout, re.MULTILINE)) == 3
