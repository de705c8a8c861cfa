"""Filters of HDF5 that the package hdf5plugin brings along."""

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

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
_LONGEST_HEADER: Final = 18


def installed() -> bool:
    """Whether HDF5 knows the filters now; the package is imported when this is asked first."""
    try:
        import hdf5plugin  # noqa: F401 - importing it is what makes HDF5 know the filters
    except ModuleNotFoundError:
        return False
    return True


def packs_twice(filters: Sequence[int]) -> bool:
    """Whether Zstandard is one of two filters that pack: only the size that the outer one unpacks to is checked."""
    return ZSTD in filters and not Counter(filters) <= Counter((ZSTD, *_UNPACKED))


def refuses_to_fit(path: Path, dataset: Any) -> bool:
    """Whether a chunk that Zstandard packed says that it unpacks to another size than chunks of the dataset have.

    The filter believes it and asks for that much memory, so it is looked at first.

    Args:
        path: the file, without a user block.
        dataset: of h5py.
    """
    layout = dataset.id.get_create_plist()
    filters = [layout.get_filter(i)[0] for i in range(layout.get_nfilters())]
    if ZSTD not in filters:
        return False
    skips, chunks = 1 << filters.index(ZSTD), list[Any]()
    dataset.id.chunk_iter(chunks.append)
    places = [chunk.byte_offset for chunk in chunks if not chunk.filter_mask & skips]
    size = math.prod(dataset.chunks) * dataset.dtype.itemsize
    with path.open("rb") as stream:
        for place in places:
            stream.seek(place)
            if _unpacked_size(stream.read(_LONGEST_HEADER)) != size:
                return True
    return False


def _unpacked_size(frame: bytes) -> int | None:
    """Size that the header of a Zstandard frame announces (RFC 8878, 3.1.1.1); None: it is none, or says nothing.

    >>> _unpacked_size(bytes.fromhex("28b52ffd600004000000"))
    1280
    """
    if len(frame) < 6 or not frame.startswith(_MAGIC):
        return None
    kind, one_segment, dictionary = frame[4] >> 6, frame[4] >> 5 & 1, frame[4] & 3
    start = 5 + (1 - one_segment) + (0, 1, 2, 4)[dictionary]
    n_bytes = (one_segment, 2, 4, 8)[kind]
    number = int.from_bytes(frame[start : start + n_bytes], "little")
    return None if n_bytes == 0 else number + (256 if n_bytes == 2 else 0)
