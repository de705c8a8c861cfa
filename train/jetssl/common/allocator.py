"""Let glibc keep the memory of large tensors.

By default every block from 128 kB (growing to 32 MB) on is mapped anew, page by page, and given back when it is
freed; a training step frees and asks for the same blocks over and over.
"""

import ctypes
import sys

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
"""Parameters of `mallopt`, from glibc's malloc.h."""
KEPT = {M_MMAP_THRESHOLD: 2**30, M_TRIM_THRESHOLD: 2**31 - 1, M_TOP_PAD: 2**26}
"""Bytes: what is smaller comes from the heap; what may lie free at its end; by how much it grows. `mallopt` takes an
int, and above half of the largest one it refuses a threshold."""


def keep_memory() -> bool:
    """Set this for the whole process, best before the first large block.

    Returns:
        Whether it took effect; False where the C library is not glibc, and nothing changes.
    """
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None)
    if not (hasattr(library, "gnu_get_libc_version") and hasattr(library, "mallopt")):
        return False
    taken = [library.mallopt(name, value) == 1 for name, value in KEPT.items()]
    return all(taken)
