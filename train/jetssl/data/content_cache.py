"""Results about the content of a file, found once and kept in the user's cache: later trainings start sooner.

To read every array of a large file takes minutes. A file counts as the same while its path, size and time of
modification are.
"""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from resim.common.atomic_write import write_text
from resim.common.errors import InputError
from resim.pairfile import schema


def cached(path: Path, find: Callable[[Path], str]) -> str:
    """`find(path)`; from the cache, if the same function has been called for the same content before.

    The cache is the folder `jetssl` in `$XDG_CACHE_HOME`, else in `~/.cache`. Where it cannot be written, nothing is
    kept.

    Args:
        path: the file.
        find: what to know of it, as text; if it raises an error, nothing is kept.
    """
    if not path.is_file():
        return find(path)
    entry = _entry(path, find.__name__)  # before the file is read: if it changes meanwhile, the entry is never found
    with suppress(OSError, UnicodeDecodeError):
        return entry.read_text(encoding="utf-8")
    found = find(path)
    with suppress(InputError):
        write_text(entry, found)
    return found


def _entry(path: Path, name: str) -> Path:
    """The file of a result."""
    state = path.stat()
    key = f"{path.resolve()}\n{state.st_size}\n{state.st_mtime_ns}\n{schema.SCHEMA_VERSION}"
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return caches / "jetssl" / f"{hashlib.sha256(key.encode()).hexdigest()}.{name}"
