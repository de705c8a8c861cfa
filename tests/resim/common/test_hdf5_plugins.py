import sys

import h5py
import hdf5plugin
import numpy as np
import pytest

from resim.common import hdf5_plugins
from resim.common.errors import InputError
from resim.common.hdf5_input import Hdf5Input


def test_the_package_is_found_or_not(monkeypatch):
    assert hdf5_plugins.installed()
    monkeypatch.setitem(sys.modules, "hdf5plugin", None)
    assert not hdf5_plugins.installed()


def test_numbers_are_those_of_the_package():
    assert hdf5plugin.Zstd.filter_id == hdf5_plugins.ZSTD
    assert hdf5_plugins.PLUGINS[hdf5plugin.Blosc.filter_id] == "Blosc"


@pytest.mark.parametrize("length", [10, 100, 300, 100_000, 2_000_000])
def test_chunks_of_every_size_say_it(tmp_path, length):
    """Headers of Zstandard hold sizes in 1, 2, 4 bytes."""
    with h5py.File(tmp_path / "x.h5", "w") as file:
        values = np.random.default_rng(1).integers(0, 9, length).astype("u1")
        file.create_dataset("x", data=values, chunks=(length,), **hdf5plugin.Zstd())
        file["plain"] = values
    content = (tmp_path / "x.h5").read_bytes()
    with h5py.File(tmp_path / "x.h5") as file:
        place = file["x"].id.get_chunk_info(0).byte_offset
        assert not hdf5_plugins.refuses_to_fit(tmp_path / "x.h5", file["x"])
        assert not hdf5_plugins.refuses_to_fit(tmp_path / "x.h5", file["plain"])
    size = place + 5 + (0 if content[place + 4] >> 5 & 1 else 1)
    for at in (place, size):  # no frame; a frame of another size
        (tmp_path / "y.h5").write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with h5py.File(tmp_path / "y.h5") as file:
            assert hdf5_plugins.refuses_to_fit(tmp_path / "y.h5", file["x"])


@pytest.mark.parametrize("frame", ["", "28b52ffd", "28b52ffd0058000000", "1f8b08000000"])
def test_what_announces_no_size(frame):
    assert hdf5_plugins._unpacked_size(bytes.fromhex(frame)) is None


class Packed(Hdf5Input):
    plugins = (hdf5_plugins.ZSTD,)


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


@pytest.mark.parametrize("inner", [hdf5_plugins.ZSTD, h5py.h5z.FILTER_DEFLATE])
def test_what_is_packed_twice_is_refused(tmp_path, inner):
    """65 kB of 3 kB that announced their size unpacked to 2 GB."""
    with h5py.File(tmp_path / "x.h5", "w") as file:
        layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        layout.set_chunk((8,))
        for number in (inner, hdf5_plugins.ZSTD):
            layout.set_filter(number, 0, (3,))
        h5py.h5d.create(file.id, b"x", h5py.h5t.NATIVE_INT64, h5py.h5s.create_simple((8,)), layout)
    with pytest.raises(InputError, match="dataset x is packed twice, so nobody knows what it would unpack to; make"):
        Packed(tmp_path / "x.h5", "make it again")
