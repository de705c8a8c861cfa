"""Chunks that would unpack to more than they have to be are refused before HDF5 unpacks them."""

import zlib

import h5py
import hdf5plugin
import numpy as np
import pytest

from resim.common import hdf5_chunks, hdf5_plugins
from resim.common.errors import InputError
from resim.common.hdf5_input import Hdf5Input

LIMIT = 100_000


class Packed(Hdf5Input):
    plugins = (hdf5_plugins.ZSTD,)


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setattr(hdf5_chunks, "HDF5_CHUNK", LIMIT)
    return tmp_path / "x.h5"


def write(path, content, mask=0, **options):
    """A dataset of 400 bytes whose chunk has this content."""
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("x", (100,), "f4", chunks=(100,), **options)
        dataset.id.write_direct_chunk((0,), content, mask)


def read(path):
    with Packed(path, "make it again") as file:
        return file.read("x")


@pytest.mark.parametrize("options", [{}, {"shuffle": True}, {"fletcher32": True}])
def test_a_stream_that_goes_on_is_refused(path, options):
    """What needs a chunk of 1 kB to reach the limit is looked at."""
    write(path, zlib.compress(bytes(1_000_000), 9) + bytes(100), compression="gzip", **options)
    message = (
        r"x\.h5: dataset x is damaged: a chunk unpacks to another size than the 400 bytes that it has; make it again"
    )
    with pytest.raises(InputError, match=message):
        read(path)


def test_a_short_stream_is_left_to_hdf5(path):
    """It reaches no limit, whatever it holds."""
    write(path, zlib.compress(bytes(1000)), compression="gzip")
    assert read(path).tolist() == [0.0] * 100


def test_a_sound_chunk_of_any_size(path):
    values = np.random.default_rng(1).normal(size=200_000).astype("f4")
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=values, chunks=(200_000,), compression="gzip", shuffle=True, fletcher32=True)
        file.create_dataset("y", data=values, chunks=(10_000,), compression="gzip")
        file["plain"] = values
    with Packed(path, "make it again") as file:
        for name in ("x", "y", "plain"):
            assert np.array_equal(file.read(name), values)


def test_a_chunk_that_did_not_go_through_the_filter_is_not_unpacked(path):
    write(path, bytes(400), mask=1, compression="gzip")
    assert read(path).tolist() == [0.0] * 100


def test_what_is_no_stream_is_left_to_hdf5(path):
    write(path, bytes(1000), compression="gzip")
    with pytest.raises(InputError, match="dataset x cannot be read"):
        read(path)


def test_a_large_chunk_of_a_small_dataset_is_refused(path):
    """10 values in one chunk of 400 kB."""
    with h5py.File(path, "w") as file:
        file.create_dataset("x", (10,), "f4", maxshape=(None,), chunks=(100_000,), compression="gzip")[:] = 1
    message = "dataset x is read in chunks of 400,000 bytes, want 100,000 at most; write it in smaller ones"
    with pytest.raises(InputError, match=message):
        read(path)
    with path.open("ab") as stream:
        stream.write(bytes(40_000 - path.stat().st_size))
    assert hdf5_chunks.largest_chunk(path) == 400_000
    assert read(path).tolist() == [1.0] * 10


@pytest.mark.parametrize("length", [10, 100, 300, 100_000, 2_000_000])
def test_chunks_of_zstandard_say_their_size(tmp_path, length):
    """Headers hold sizes in 1, 2, 4 bytes."""
    with h5py.File(tmp_path / "x.h5", "w") as file:
        values = np.random.default_rng(1).integers(0, 9, length).astype("u1")
        file.create_dataset("x", data=values, chunks=(length,), **hdf5plugin.Zstd())
        file["plain"] = values
    content = (tmp_path / "x.h5").read_bytes()
    with h5py.File(tmp_path / "x.h5") as file:
        place = file["x"].id.get_chunk_info(0).byte_offset
        assert hdf5_chunks.misfit(tmp_path / "x.h5", file["x"]) is None
        assert hdf5_chunks.misfit(tmp_path / "x.h5", file["plain"]) is None
    size = place + 5 + (0 if content[place + 4] >> 5 & 1 else 1)
    for at in (place, size):  # no frame; a frame of another size
        (tmp_path / "y.h5").write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with h5py.File(tmp_path / "y.h5") as file:
            assert f"than the {length:,} bytes that it has" in hdf5_chunks.misfit(tmp_path / "y.h5", file["x"])


def test_a_chunk_that_is_not_shuffled_is_looked_at_too(tmp_path):
    """The mask of a chunk says which filters it went without; another than Zstandard makes it no smaller."""
    with h5py.File(tmp_path / "x.h5", "w") as file:
        large = file.create_dataset("large", data=np.zeros(1000, "u1"), chunks=(1000,), **hdf5plugin.Zstd())
        small = file.create_dataset("small", (8,), "u1", chunks=(8,), shuffle=True, **hdf5plugin.Zstd())
        small.id.write_direct_chunk((0,), large.id.read_direct_chunk((0,))[1], 1)
    with Packed(tmp_path / "x.h5", "make it again") as file:
        with pytest.raises(InputError, match="dataset small is damaged: a chunk unpacks to another size"):
            file.read("small")
        assert file.read("large").tolist() == [0] * 1000
