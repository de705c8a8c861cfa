"""A pair file is whole or not there, and a full disk is one line."""

import errno
import subprocess
import sys

import pytest

from resim.common.errors import InputError
from resim.pairfile.hdf5_output import Hdf5Output
from resim.pairfile.mock import write_mock
from resim.pairfile.reader import PairFile

LIMITED = """
import resource, signal, sys
from pathlib import Path
from resim.common.errors import InputError
from resim.pairfile.mock import write_mock
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    write_mock(Path(sys.argv[2]), 400)
except InputError as error:
    sys.exit(str(error))
"""


@pytest.mark.parametrize("share", [0.01, 0.5, 0.98])
def test_a_full_disk_is_one_line_wherever_it_strikes(tmp_path, share):
    """A limit on the size of the file stands for the disk; without care HDF5 ends in a segmentation fault."""
    whole, output = write_mock(tmp_path / "whole.h5", 400), tmp_path / "pairs.h5"
    limit = int(share * whole.stat().st_size)
    command = [sys.executable, "-c", LIMITED, str(limit), str(output)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == f"{output}: cannot be written (File too large); make room or choose another -o\n"
    assert list(tmp_path.iterdir()) == [whole]


def test_no_file_can_be_made(tmp_path):
    with pytest.raises(InputError, match=r"none/x\.h5: cannot be written \(No such file or directory\); make room"):
        write_mock(tmp_path / "none" / "x.h5")


def test_an_older_file_survives(tmp_path):
    path = write_mock(tmp_path / "x.h5", 10)
    with pytest.raises(InputError, match="No space left"), Hdf5Output(path):
        raise OSError(errno.ENOSPC, "No space left on device")
    with PairFile(path) as file:
        assert len(file) == 10
    assert list(tmp_path.iterdir()) == [path]
