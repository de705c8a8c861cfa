import sys

import h5py
import hdf5plugin
import numpy as np
import pytest

from resim.common import hdf5_plugins


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
