"""Files are written whole or not at all; a full disk is reported in one line."""

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from resim.common.errors import InputError

NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What a write fails with on a full disk, beyond a quota, and beyond a limit on the size of files."""


def write_bytes(path: Path, content: bytes | memoryview) -> None:
    """Write a file that is on disk before it appears under its name; what was there before survives a failure.

    Raises:
        InputError: the disk is full, or the folder cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise not_written(path, error) from error


def write_text(path: Path, text: str) -> None:
    """`write_bytes` of UTF-8."""
    write_bytes(path, text.encode())


def not_written(path: Path, error: OSError) -> InputError:
    """What to say if `path` cannot be written."""
    remedy = "make room" if error.errno in NO_ROOM else "make its folder writable"
    return InputError(
        f"{path}: cannot be written ({error.strerror}); what was finished before is kept: {remedy} and run the same"
        " command again"
    )


@contextmanager
def full_disk_is_one_line(folder: Path) -> Iterator[None]:
    """Say so, and only that, if a library finds no room for its files in `folder`.

    Libraries wrap the error, hit it again while they close their files, or, as TensorBoard does, in a thread, which
    prints a traceback before the error is raised in the main thread, too.

    Raises:
        InputError: there is no room, or the block raised it.
    """
    hook = threading.excepthook
    threading.excepthook = lambda told: None if _no_room(told.exc_value) else hook(told)
    try:
        yield
    except Exception as error:
        known = next((cause for cause in _causes(error) if isinstance(cause, InputError)), None)
        fault = next(filter(_no_room, _causes(error)), None)
        if known is not None:
            raise known from None
        if isinstance(fault, OSError):
            raise not_written(Path(fault.filename or folder), fault) from error
        raise
    finally:
        threading.excepthook = hook


def _no_room(error: BaseException | None) -> bool:
    return isinstance(error, OSError) and error.errno in NO_ROOM


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what it was raised from, and so on."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
