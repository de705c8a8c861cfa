"""A disk that fills up below HDF5: the error is kept, the file can still be closed."""

import errno

import h5py
import numpy as np
import pytest

from resim.pairfile.absorbing import AbsorbingFile


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
    file = AbsorbingFile(tmp_path / "a.h5")
    fill(file)
    file.check()
    file.save()
    file.close()
    fill(tmp_path / "direct.h5")
    with h5py.File(tmp_path / "a.h5") as one, h5py.File(tmp_path / "direct.h5") as other:
        assert set(one) == set(other) == set("abcd")
        for name in "abcd":
            np.testing.assert_array_equal(one[name], other[name])


@pytest.mark.parametrize("room", [0, 100, 3000, 50_000, 90_000])
def test_keeps_the_first_error_and_lets_hdf5_close(tmp_path, room, monkeypatch):
    file = AbsorbingFile(tmp_path / "a.h5")
    with monkeypatch.context() as patch:
        patch.setattr(file, "_file", SmallDisk(file._file, room))
        fill(file)
    for ask in (file.check, file.save):
        with pytest.raises(OSError, match="No space left"):
            ask()
    file.close()
    assert (tmp_path / "a.h5").stat().st_size <= room


def test_says_where_a_file_cannot_be(tmp_path):
    with pytest.raises(FileNotFoundError):
        AbsorbingFile(tmp_path / "missing" / "a.h5")
