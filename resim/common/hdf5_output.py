"""HDF5 files that appear under their name when they are complete, or not at all, also if the disk is full."""

import io
import os
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import h5py

from resim.common.atomic_write import OTHER_OUTPUT, not_written, partial_path, publish
from resim.common.output_lock import locked


class ErrorKeepingFile(io.RawIOBase):
    """A file for `h5py.File(ErrorKeepingFile(file), "w")` that keeps its first write error instead of raising it.

    HDF5 2.0 cannot recover from a write that fails (disk full, quota): the file cannot be closed any more, and the
    interpreter ends with a segmentation fault. So this object accepts every write, drops those after the first error,
    and tells the error when it is asked. What was dropped reads as zeros, which HDF5 cannot unpack: a compressed
    chunk must be written once and whole.

    Args:
        file: empty, open for reading and writing; closed with this object.

    Attributes:
        error: what went wrong first; None as long as all that was written is in the file.
    """

    def __init__(self, file: io.FileIO) -> None:
        super().__init__()
        self._file = file
        self.error: OSError | None = None

    def check(self) -> None:
        """Raise the first error, if there was one.

        Raises:
            OSError: something could not be written.
        """
        if self.error is not None:
            raise self.error

    def seekable(self) -> bool:
        """True."""
        return True

    def readable(self) -> bool:
        """True."""
        return True

    def writable(self) -> bool:
        """True."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position; it may lie beyond the end."""
        return self._file.seek(offset, whence)

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer from the present position, with zeros after the end of the file."""
        view = memoryview(buffer)
        done = 0
        while done < len(view) and (count := self._file.readinto(view[done:])):
            done += count
        view[done:] = bytes(len(view) - done)
        return len(view)

    def write(self, data: memoryview) -> int:  # type: ignore[override]
        """Write everything at the present position, or keep the error."""
        view = memoryview(data)
        rest = view
        while len(rest) and self.error is None:
            try:
                rest = rest[self._file.write(rest) :]
            except OSError as error:
                self.error = error
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        """Set the length of the file, or keep the error."""
        size = self._file.tell() if size is None else size
        if self.error is None:
            try:
                self._file.truncate(size)
            except OSError as error:
                self.error = error
        return size

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


class Hdf5Output:
    """Context manager that writes a file under a temporary name; `complete` gives it its own.

    Leaving the context without `complete` removes the temporary file.

    Args:
        path: the file to be.

    Attributes:
        file: open for writing; write compressed chunks once and whole, or keep them in HDF5's cache until they are.

    Raises:
        InputError: another process writes the file, or it cannot be created.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._partial = partial_path(path)
        self._completed = False
        with ExitStack() as undo:
            undo.enter_context(locked(path))
            try:
                self._stream = ErrorKeepingFile(self._partial.open("w+b", buffering=0))
            except OSError as error:
                raise not_written(path, error, OTHER_OUTPUT) from error
            self.file = h5py.File(self._stream, "w")
            self._lock = undo.pop_all()

    def check(self) -> None:
        """Check that everything could be written so far.

        Raises:
            OSError: it could not; leaving the context turns it into an `InputError`.
        """
        self._stream.check()

    def complete(self) -> None:
        """Give the file its final name.

        Raises:
            OSError: something could not be written; leaving the context turns it into an `InputError`.
        """
        self.file.close()
        self._stream.check()
        publish(self._partial, self.path)
        self._completed = True

    def __enter__(self) -> Self:
        """The output itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close, and remove the partial file unless `complete` has renamed it.

        Raises:
            InputError: the file could not be written.
        """
        with self._lock:
            self.file.close()
            failure = self._stream.error or error
            self._stream.close()
            if not self._completed:
                self._partial.unlink(missing_ok=True)
        if isinstance(failure, OSError):
            raise not_written(self.path, failure, OTHER_OUTPUT) from error
