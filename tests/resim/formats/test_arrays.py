"""HDF5 and npz files that others compress, and those that are damaged or hostile."""

import sys

import h5py
import numpy as np
import pytest

from resim.common.errors import InputError
from resim.formats import arrays
from resim.formats.arrays import Hdf5Arrays, NpzArrays

X = np.arange(60, dtype=np.float32).reshape(10, 3, 2)


def read(container, names=("x", "y"), stop=9):
    with_pieces = list(container.batches(names, stop, 4))
    container.close()
    assert [len(piece["x"]) for piece in with_pieces] == [4, 4, 1]
    return {name: np.concatenate([piece[name] for piece in with_pieces]) for name in names}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_is_read_in_pieces(tmp_path, save):
    save(tmp_path / "a.npz", x=X, y=np.arange(10, dtype=np.int8))
    container = NpzArrays(tmp_path / "a.npz")
    assert (container.n_entries(["x"]), list(container.names)) == (10, ["x", "y"])
    found = read(container)
    assert np.array_equal(found["x"], X[:9])
    assert found["y"].tolist() == list(range(9))


def test_objects_are_not_unpickled_and_stop_only_who_reads_them(tmp_path):
    arrays_of_file = {"x": np.array([{}] * 9, dtype=object), "y": np.arange(9), "z": np.asfortranarray(X[:9])}
    np.savez(tmp_path / "a.npz", **arrays_of_file)
    container = NpzArrays(tmp_path / "a.npz")
    for name in "xz":
        with pytest.raises(
            InputError, match=f"array '{name}' is in Fortran's order, or holds objects; save it again"
        ):
            container.n_entries(["y", name])
    assert container.n_entries(["y"]) == 9
    assert next(container.batches(["y"], 9, 9))["y"].tolist() == list(range(9))
    container.close()


def test_a_small_file_that_would_fill_the_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(arrays, "INFLATION_FREE", 1000)
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros(10**6))
    with pytest.raises(InputError, match="bytes would inflate to 8,000,128, over 50 times as many; fetch it again"):
        NpzArrays(tmp_path / "a.npz")


def test_damaged_npz_is_said_in_one_line(tmp_path):
    np.savez(tmp_path / "a.npz", x=X)
    content = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "b.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"b\.npz: not a readable npz file .*; fetch it again"):
        NpzArrays(tmp_path / "b.npz")


def test_hdf5_with_blosc_takes_hdf5plugin(tmp_path, monkeypatch):
    import hdf5plugin

    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", data=X, **hdf5plugin.Blosc(cname="lz4"))
        file.create_dataset("y", data=np.arange(10), **hdf5plugin.Zstd())
    assert np.array_equal(read(Hdf5Arrays(tmp_path / "a.h5"))["x"], X[:9])
    monkeypatch.setitem(sys.modules, "hdf5plugin", None)  # as if it were not installed
    with pytest.raises(InputError, match=r"x is compressed with Blosc; .* pip install 'resim-jets\[formats\]'$"):
        Hdf5Arrays(tmp_path / "a.h5")


def test_arrays_of_different_lengths_are_no_jets(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"], file["y"] = X, np.arange(9)
    with pytest.raises(InputError, match="x has 10 entries, y has 9; want one a jet"):
        Hdf5Arrays(tmp_path / "a.h5").n_entries(["x", "y"])


def test_a_link_to_another_file_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = h5py.ExternalLink("other.h5", "/x")
    with pytest.raises(InputError, match="x is a link to another file"):
        Hdf5Arrays(tmp_path / "a.h5")
