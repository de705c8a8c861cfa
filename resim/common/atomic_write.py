"""Write, then rename: a file appears under its name when it is whole and on the disk, or not at all."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from resim.common.errors import InputError
from resim.common.output_lock import locked

NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What a write fails with on a full disk, beyond a quota, and beyond a limit on the size of files."""

RUN_AGAIN: Final = "what was finished before is kept: {remedy} and run the same command again"
"""What to say of an output of a command that goes on where it stopped."""

OTHER_OUTPUT: Final = "{remedy} or choose another -o"
"""What to say of an output that the user has named."""


@contextmanager
def atomic_write(path: Path, advice: str = RUN_AGAIN) -> Iterator[Path]:
    """Write a file under a temporary name; it gets its own name if the block ends without an error.

    A file that exists is replaced then, and survives a failure. The permissions are those of any new file (umask).

    Args:
        path: the file to be.
        advice: what the user can do if it cannot be written, with `{remedy}` in it.

    Yields:
        The temporary name, in the same folder; the block creates the file.

    Raises:
        InputError: another process writes the file, the disk is full, or the folder cannot be written.
    """
    partial = partial_path(path)
    with locked(path):
        try:
            yield partial
            publish(partial, path)
        except OSError as error:
            raise not_written(path, error, advice) from error
        finally:
            with suppress(OSError):
                partial.unlink(missing_ok=True)


def partial_path(path: Path) -> Path:
    """The temporary name of a file that is not whole yet."""
    return path.with_name(f".{path.name}.partial")


def entries(folder: Path) -> list[str]:
    """Names of what a folder holds, without what interrupted writes have left; empty if there is no folder."""
    if not folder.is_dir():
        return []
    names = sorted(path.name for path in folder.iterdir())
    return [name for name in names if not (name.startswith(".") and name.endswith((".partial", ".lock")))]


def publish(partial: Path, path: Path) -> None:
    """Wait until a file is on the disk, then give it its final name.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    with partial.open("rb") as stream:
        os.fsync(stream.fileno())
    partial.replace(path)


def write_bytes(path: Path, content: bytes) -> None:
    """`atomic_write` of bytes; the folder is made if there is none.

    Raises:
        InputError: the disk is full, or the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_written(path, error) from error
    with atomic_write(path) as partial:
        partial.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """`write_bytes` of UTF-8."""
    write_bytes(path, text.encode())


def not_written(path: Path, error: OSError, advice: str = RUN_AGAIN) -> InputError:
    """What to say if `path` cannot be written."""
    reason = error.strerror or " ".join(str(error).split())[:200]
    remedy = "make room" if error.errno in NO_ROOM else "make its folder writable"
    return InputError(f"{path}: cannot be written ({reason}); {advice.format(remedy=remedy)}")
