"""An HDF5 file that appears under its name when it is complete, or not at all."""

from pathlib import Path
from types import TracebackType
from typing import Self

import h5py

from resim.common.errors import InputError
from resim.pairfile.absorbing import AbsorbingFile


class Hdf5Output:
    """Context manager that holds `PATH.partial` open and gives it its final name in `complete`.

    Leaving the context without `complete` removes the partial file.

    Args:
        path: the file to be.

    Attributes:
        file: open for writing; compressed chunks are to be written once and whole, or stay in HDF5's cache until
            they are.

    Raises:
        InputError: the file cannot be created.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._partial = path.with_name(path.name + ".partial")
        self._completed = False
        try:
            self._stream = AbsorbingFile(self._partial)
        except OSError as error:
            raise _unwritable(path, error) from error
        self.file = h5py.File(self._stream, "w")

    def check(self) -> None:
        """Ask whether everything could be written so far.

        Raises:
            OSError: it could not; leaving the context makes one line of it.
        """
        self._stream.check()

    def complete(self) -> None:
        """Give the file its final name.

        Raises:
            OSError: something could not be written; leaving the context makes one line of it.
        """
        self.file.close()
        self._stream.save()
        self._partial.replace(self.path)
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
        self.file.close()
        failure = self._stream.error or error
        self._stream.close()
        if not self._completed:
            self._partial.unlink(missing_ok=True)
        if isinstance(failure, OSError):
            raise _unwritable(self.path, failure) from error


def _unwritable(path: Path, error: OSError) -> InputError:
    reason = error.strerror or " ".join(str(error).split())[:200]
    return InputError(f"{path}: cannot be written ({reason}); make room or choose another -o")
