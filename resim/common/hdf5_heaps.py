"""Global heaps of HDF5 files, where texts of any length lie, checked before HDF5 reads them.

HDF5 2.0 walks a heap from object to object and does not end if a damaged one has no length (H5HGcache.c; found by our
mutants). Nothing can interrupt it, so what it would walk is walked here first. The layout is that of the HDF5 File
Format Specification, III.E, with lengths of 8 bytes.
"""

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from resim.common.limits import HDF5_HEAPS_WITHIN

_HEAP: Final = struct.Struct("<4sB3sQ")
"""Signature, version, reserved, length of the heap with this header."""
_OBJECT: Final = struct.Struct("<HHIQ")
"""Index (0: free space), reference count, reserved, length; that of free space is with this header."""
_SIGNATURE: Final = b"GCOL"
_VERSION: Final = 1


def damaged_heap(path: Path) -> int | None:
    """Where in the file the first damaged global heap begins, None if there is none or the file is too large to look.

    Compressed data look like the beginning of a heap once in 10³⁰ bytes.
    """
    if not 0 < path.stat().st_size <= HDF5_HEAPS_WITHIN:
        return None
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return next((start for start, stop in _heaps(content) if not _ends(content, start, stop)), None)


def _heaps(content: mmap.mmap) -> Iterator[tuple[int, int]]:
    """First byte of every heap and the byte behind it."""
    start = content.find(_SIGNATURE)
    while start >= 0:
        if start + _HEAP.size <= len(content):
            _, version, reserved, length = _HEAP.unpack_from(content, start)
            if version == _VERSION and not any(reserved) and start + length <= len(content):
                yield start, start + length
        start = content.find(_SIGNATURE, start + 1)


def _ends(content: mmap.mmap, start: int, stop: int) -> bool:
    """Whether one object after the other leads to the end of the heap."""
    place = start + _HEAP.size
    while place + _OBJECT.size <= stop:
        index, _, _, length = _OBJECT.unpack_from(content, place)
        step = _OBJECT.size + (length + 7) // 8 * 8 if index else length
        if not 0 < step <= stop - place:
            return False
        place += step
    return True
