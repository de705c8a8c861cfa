import sys

from resim.common import hdf5_plugins


def test_the_package_is_found_or_not(monkeypatch):
    assert hdf5_plugins.installed()
    monkeypatch.setitem(sys.modules, "hdf5plugin", None)
    assert not hdf5_plugins.installed()


def test_numbers_are_those_of_the_package():
    import hdf5plugin

    assert hdf5plugin.Zstd.filter_id == hdf5_plugins.ZSTD
    assert hdf5_plugins.PLUGINS[hdf5plugin.Blosc.filter_id] == "Blosc"
