"""Filters of HDF5 that the package hdf5plugin brings along."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from h5py import h5z

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

_UNPACKED: Final = (h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32)
"""Filters that make nothing smaller, which may stand beside Zstandard."""
_MAGIC: Final = bytes.fromhex("28b52ffd")


def installed() -> bool:
    """Whether HDF5 knows the filters now; the package is imported when this is asked first."""
    try:
        import hdf5plugin  # noqa: F401 - importing it is what makes HDF5 know the filters
    except ModuleNotFoundError:
        return False
    return True


def packs_twice(filters: Sequence[int]) -> bool:
    """Whether Zstandard, or gzip with LZF or itself, is one of two filters that pack.

    Only the size that the outer one unpacks to is checked (`resim.common.hdf5_chunks`).
    """
    own = sum(number in (h5z.FILTER_DEFLATE, h5z.FILTER_LZF) for number in filters)
    return own > 1 or (ZSTD in filters and not Counter(filters) <= Counter((ZSTD, *_UNPACKED)))


def unpacked_size(frame: bytes) -> int | None:
    """Size that the header of a Zstandard frame announces (RFC 8878, 3.1.1.1); None: it is none, or says nothing.

    >>> unpacked_size(bytes.fromhex("28b52ffd600004000000"))
    1280
    """
    if len(frame) < 6 or not frame.startswith(_MAGIC):
        return None
    kind, one_segment, dictionary = frame[4] >> 6, frame[4] >> 5 & 1, frame[4] & 3
    start = 5 + (1 - one_segment) + (0, 1, 2, 4)[dictionary]
    n_bytes = (one_segment, 2, 4, 8)[kind]
    number = int.from_bytes(frame[start : start + n_bytes], "little")
    return None if n_bytes == 0 else number + (256 if n_bytes == 2 else 0)
