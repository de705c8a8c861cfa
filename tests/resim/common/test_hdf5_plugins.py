import sys

import h5py
import hdf5plugin
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


@pytest.mark.parametrize("frame", ["", "28b52ffd", "28b52ffd0058000000", "1f8b08000000"])
def test_what_announces_no_size(frame):
    assert hdf5_plugins.unpacked_size(bytes.fromhex(frame)) is None


class Packed(Hdf5Input):
    plugins = (hdf5_plugins.ZSTD,)


GZIP, ZSTD = h5py.h5z.FILTER_DEFLATE, hdf5_plugins.ZSTD


@pytest.mark.parametrize("filters", [(ZSTD, ZSTD), (GZIP, ZSTD), (GZIP, GZIP), (h5py.h5z.FILTER_LZF, GZIP)])
def test_what_is_packed_twice_is_refused(tmp_path, filters):
    """65 kB of 3 kB that announced their size unpacked to 2 GB."""
    with h5py.File(tmp_path / "x.h5", "w") as file:
        layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        layout.set_chunk((8,))
        for number in filters:
            layout.set_filter(number, 0, (3,))
        h5py.h5d.create(file.id, b"x", h5py.h5t.NATIVE_INT64, h5py.h5s.create_simple((8,)), layout)
    with pytest.raises(InputError, match="dataset x is packed twice, so nobody knows what it would unpack to; make"):
        Packed(tmp_path / "x.h5", "make it again")
