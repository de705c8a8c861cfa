"""Files that end with the SHA-256 of what stands before it: one flipped bit is seen when they are read.

Neither torch nor NumPy minds: `torch.load` and `np.load` read a sealed checkpoint or `.npy` file as it is.
"""

import hashlib
import io
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from resim.common.atomic_write import write_bytes

SEAL_BYTES: Final = hashlib.sha256().digest_size


class BrokenSealError(ValueError):
    """The bytes of a file are not those that were written."""


def write_sealed(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all, with its seal.

    Raises:
        InputError: the disk is full, or the folder cannot be written.
    """
    write_bytes(path, content + hashlib.sha256(content).digest())


def read_sealed(path: Path) -> bytes:
    """What was written, without the seal.

    Raises:
        BrokenSealError: the file was changed, cut or written by something else.
        OSError: it cannot be read.
    """
    stored = path.read_bytes()
    content, seal = stored[:-SEAL_BYTES], stored[-SEAL_BYTES:]
    if hashlib.sha256(content).digest() != seal:
        raise BrokenSealError("its bytes are not those that were written: changed, cut, or of an older version")
    return content


def write_array(path: Path, array: npt.NDArray[Any]) -> None:
    """Write an array as a sealed `.npy` file.

    Raises:
        InputError: the disk is full, or the folder cannot be written.
    """
    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    write_sealed(path, content.getvalue())


def read_array(path: Path) -> npt.NDArray[Any]:
    """The array of a sealed `.npy` file.

    Raises:
        BrokenSealError: the file was changed, cut or written by something else.
        OSError: it cannot be read.
    """
    return np.asarray(np.load(io.BytesIO(read_sealed(path)), allow_pickle=False))
