"""Filters of HDF5 that the package hdf5plugin brings along."""

from typing import Final

ZSTD: Final = 32015
"""Number of the filter of Zstandard."""
PLUGINS: Final = {
    307: "bzip2",
    32001: "Blosc",
    32004: "LZ4",
    32008: "bit shuffle",
    32013: "ZFP",
    ZSTD: "Zstandard",
}
"""Number of the filter -> name, as files of others use them."""
REMEDY: Final = "the package hdf5plugin unpacks that; install it with: pip install 'resim-jets[formats]'"


def installed() -> bool:
    """Whether HDF5 knows the filters now; the package is imported when this is asked first."""
    try:
        import hdf5plugin  # noqa: F401 - importing it is what makes HDF5 know the filters
    except ModuleNotFoundError:
        return False
    return True
