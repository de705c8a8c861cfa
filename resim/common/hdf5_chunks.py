"""Chunks of HDF5 datasets that would unpack to more than they have to be, found before HDF5 unpacks them.

HDF5 takes the size of a chunk from what unpacks it: gzip's filter goes on to the end of its stream, and Zstandard's
asks for what its header announces. 1 MB of zeros packed by gzip took 2 GB, for a dataset of 4 kB.
"""

import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

from h5py import h5z

from resim.common.hdf5_plugins import ZSTD, unpacked_size
from resim.common.limits import HDF5_CHUNK, HDF5_CHUNK_OF_FILE

_LARGEST_RATIO: Final = 1_032
"""Bytes that deflate makes of one, at most (zlib's technical details)."""
_CHECKSUM: Final = 4
"""Bytes that Fletcher's checksum adds to what is packed."""
_HEADER: Final = 18
"""Bytes that the header of a Zstandard frame takes at most."""
_PIECE: Final = 65_536


def largest_chunk(path: Path) -> int:
    """Bytes that a chunk of this file may have when it is unpacked."""
    return max(HDF5_CHUNK, HDF5_CHUNK_OF_FILE * path.stat().st_size)


def misfit(path: Path, dataset: Any) -> str | None:
    """What is wrong with the size of a chunk, if anything is.

    Args:
        path: the file, without a user block.
        dataset: of h5py.
    """
    layout = dataset.id.get_create_plist()
    filters = [layout.get_filter(i)[0] for i in range(layout.get_nfilters())]
    packed = [number for number in (ZSTD, h5z.FILTER_DEFLATE) if number in filters]
    if not packed:
        return None
    size = math.prod(dataset.chunks) * dataset.dtype.itemsize
    with path.open("rb") as stream:
        if ZSTD in packed:
            fits = all(_announces(stream, *place, size) for place in _places(dataset, filters.index(ZSTD)))
        else:
            harmless = largest_chunk(path) // _LARGEST_RATIO
            places = _places(dataset, filters.index(h5z.FILTER_DEFLATE))
            fits = all(n <= harmless or _inflates_within(stream, at, n, size + _CHECKSUM) for at, n in places)
    return None if fits else f"is damaged: a chunk unpacks to another size than the {size:,} bytes that it has"


def _places(dataset: Any, filter_: int) -> Iterator[tuple[int, int]]:
    """Where the chunks that went through a filter lie in the file, and how many bytes they take there."""
    chunks = list[Any]()
    dataset.id.chunk_iter(chunks.append)
    return ((chunk.byte_offset, chunk.size) for chunk in chunks if not chunk.filter_mask >> filter_ & 1)


def _announces(stream: IO[bytes], at: int, _: int, size: int) -> bool:
    stream.seek(at)
    return unpacked_size(stream.read(_HEADER)) == size


def _inflates_within(stream: IO[bytes], at: int, n_bytes: int, size: int) -> bool:
    """Whether gzip's stream ends before it has made more than `size` bytes; a damaged one is left to HDF5."""
    stream.seek(at)
    inflate, made = zlib.decompressobj(), 0
    for start in range(0, n_bytes, _PIECE):
        piece = stream.read(min(_PIECE, n_bytes - start))
        while piece and not inflate.eof:
            try:
                made += len(inflate.decompress(piece, _PIECE))
            except zlib.error:
                return True
            if made > size:
                return False
            piece = inflate.unconsumed_tail
    return True
