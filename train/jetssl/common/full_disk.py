"""A full disk is reported in one line, also if a library finds it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resim.common.atomic_write import NO_ROOM, not_written
from resim.common.errors import InputError


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
