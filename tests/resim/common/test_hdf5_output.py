"""A pair file is whole or not there, and a full disk is one line."""

import errno
import subprocess
import sys

import h5py
import numpy as np
import pytest

from resim.common.errors import InputError
from resim.common.hdf5_output import ErrorKeepingFile, Hdf5Output
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
    with pytest.raises(InputError, match=r"none/x\.h5: cannot be written \(No such file or directory\); make its"):
        write_mock(tmp_path / "none" / "x.h5")


def test_an_older_file_survives(tmp_path):
    path = write_mock(tmp_path / "x.h5", 10)
    with pytest.raises(InputError, match="No space left"), Hdf5Output(path):
        raise OSError(errno.ENOSPC, "No space left on device")
    with PairFile(path) as file:
        assert len(file) == 10
    assert list(tmp_path.iterdir()) == [path]


class SmallDisk:
    """An open file on a disk with room for so many bytes."""

    def __init__(self, file, room):
        self.file, self.room = file, room

    def write(self, data):
        room = max(0, self.room - self.file.tell())
        if len(data) and not room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self.file.write(data[:room])

    def __getattr__(self, name):
        return getattr(self.file, name)


def fill(file):
    with h5py.File(file, "w") as hdf5:
        rng = np.random.default_rng(1)
        for name in "abc":
            hdf5.create_dataset(name, data=rng.random(5000), chunks=(512,), compression="gzip")
        hdf5.create_dataset("d", (1000, 30), "<f4", chunks=(100, 30))[150:620] = 7


def test_is_an_ordinary_file_while_there_is_room(tmp_path):
    file = ErrorKeepingFile((tmp_path / "a.h5").open("w+b", buffering=0))
    fill(file)
    file.check()
    file.close()
    fill(tmp_path / "direct.h5")
    with h5py.File(tmp_path / "a.h5") as one, h5py.File(tmp_path / "direct.h5") as other:
        assert set(one) == set(other) == set("abcd")
        for name in "abcd":
            np.testing.assert_array_equal(one[name], other[name])


@pytest.mark.parametrize("room", [0, 100, 3000, 50_000, 90_000])
def test_keeps_the_first_error_and_lets_hdf5_close(tmp_path, room):
    file = ErrorKeepingFile(SmallDisk((tmp_path / "a.h5").open("w+b", buffering=0), room))
    fill(file)
    with pytest.raises(OSError, match="No space left"):
        file.check()
    file.close()
    assert (tmp_path / "a.h5").stat().st_size <= room
