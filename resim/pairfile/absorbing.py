"""A file for h5py that cannot fail underneath HDF5: its first error is kept, and what comes after is dropped.

HDF5 2.0 does not get over a write that fails (disk full, quota): the file cannot be closed any more, and the
interpreter dies of a segmentation fault when it exits. So HDF5 writes to a Python object (driver `fileobj`) that
takes everything, and whoever writes asks the object afterwards. What was dropped reads as zeros, which HDF5 cannot
unpack: chunks that are compressed are to be written once and whole.
"""

import io
import os
from pathlib import Path


class AbsorbingFile(io.RawIOBase):
    """A new file that is written through `h5py.File(AbsorbingFile(path), "w")`.

    Args:
        path: replaced if it exists.

    Attributes:
        error: what went wrong first; None as long as all that was written is in the file.

    Raises:
        OSError: the file cannot be created.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = path.open("w+b", buffering=0)
        self.error: OSError | None = None

    def check(self) -> None:
        """Raise the error, if there was one."""
        if self.error is not None:
            raise self.error

    def save(self) -> None:
        """Have everything on the disk.

        Raises:
            OSError: it could not be written, now or before.
        """
        self.check()
        os.fsync(self._file.fileno())

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
        """Move to a position, also beyond the end."""
        return self._file.seek(offset, whence)

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer from the present position; with zeros where the file has ended."""
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
