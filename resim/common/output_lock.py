"""One writer at a time: while an output is made the kernel holds a lock on it, which ends with its process.

The lock of `NAME` is the file `.NAME.lock` beside it, which says who writes. It is removed with the lock; one that a
killed process has left is nobody's, and taken over. What a process starts works under its lock.
"""

import fcntl
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from resim.common.errors import InputError
from resim.common.versions import utc_now

_HELD: Final[dict[Path, int]] = {}
"""Locks of this process and the threads that took them: a command locks its output, and so does what writes the file
in the end."""


@contextmanager
def locked(output: Path) -> Iterator[None]:
    """Be the only one that writes an output, a file or a folder, inside the block.

    Where no lock can be made (a folder that cannot be written, a full disk, a file system without locks) there is
    none: what is written will say what is wrong.

    Raises:
        InputError: another process writes it.
    """
    path = lock_path(output)
    if _HELD.get(path) == threading.get_ident():
        yield
        return
    descriptor = _acquired(path, output)
    _HELD[path] = threading.get_ident()
    try:
        yield
    finally:
        del _HELD[path]
        if descriptor is not None:
            with suppress(OSError):
                path.unlink()  # before the lock ends: who waits for none sees that the file has gone
            os.close(descriptor)


def lock_path(output: Path) -> Path:
    """The file that is locked; in the folder of the output, or in the first that exists above it."""
    path = Path(os.path.realpath(output))
    while not path.parent.is_dir():
        path = path.parent
    return path.with_name(f".{path.name}.lock")


def _acquired(path: Path, output: Path) -> int | None:
    """The descriptor that holds the lock; None if there cannot be one, or the parent of this process has it."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 200).decode(errors="replace").strip() or "another process"
            os.close(descriptor)
            if holder.startswith(_signature(os.getppid())):
                return None
            raise InputError(f"{output}: {holder} is writing it; wait for that, or choose another output") from None
        except OSError:  # a file system without locks
            os.close(descriptor)
            return None
        if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
            _sign(descriptor)
            return descriptor
        os.close(descriptor)  # its last holder has removed it after we opened it


def _sign(descriptor: int) -> None:
    """Say who writes, for whoever comes second."""
    with suppress(OSError):  # a full disk
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{_signature(os.getpid())} since {utc_now()},\n".encode())


def _signature(process: int) -> str:
    return f"process {process} on {socket.gethostname()},"
