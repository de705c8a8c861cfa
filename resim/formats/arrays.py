"""Arrays of fixed length in HDF5 and npz files, whose jets are padded."""

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt
from h5py import h5t, h5z
from numpy.lib import format as npy

from resim.common.errors import InputError
from resim.common.hdf5_input import FILTERS, TYPES, Hdf5Input
from resim.common.hdf5_plugins import PLUGINS
from resim.common.limits import INFLATION, INFLATION_FREE
from resim.formats.containers import Batch, check_names, common_length, reading

_REMEDY: Final = "fetch it again"


class ForeignHdf5(Hdf5Input):
    """An HDF5 file of others: tables and texts are allowed, and the compression of PyTables, if hdf5plugin is there.

    Raises:
        InputError: as `Hdf5Input`.
    """

    filters = (*FILTERS, h5z.FILTER_SZIP, h5z.FILTER_NBIT)
    plugins = tuple(PLUGINS)
    types = (*TYPES, h5t.COMPOUND, h5t.STRING)

    def __init__(self, path: Path) -> None:
        super().__init__(path, _REMEDY)


class Hdf5Arrays(ForeignHdf5):
    """Datasets of an HDF5 file, one entry a jet."""

    @property
    def names(self) -> Sequence[str]:
        """Paths of the datasets."""
        return list(self.datasets)

    def n_entries(self, names: Sequence[str]) -> int:
        """Number of jets: entries of the datasets with these names."""
        check_names(self.path, names, self.names)
        return common_length(self.path, {name: (self.datasets[name].shape or (0,))[0] for name in names})

    def batches(self, names: Sequence[str], stop: int, size: int) -> Iterator[Batch]:
        """The datasets with these names, `size` jets at a time."""
        for start in range(0, stop, size):
            yield {name: self.read(name, slice(start, min(start + size, stop))) for name in names}


class NpzArrays:
    """Arrays of an npz file, read in pieces without unpacking all of them.

    Raises:
        InputError: the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with reading(path, "npz"):
            self._zip = zipfile.ZipFile(path)
            self._refuse_bomb()
            self._members = {name.removesuffix(".npy"): name for name in self._zip.namelist()}

    def _refuse_bomb(self) -> None:
        size, unpacked = self._path.stat().st_size, sum(member.file_size for member in self._zip.infolist())
        if unpacked > INFLATION_FREE + INFLATION * size:
            raise InputError(
                f"{self._path}: {size:,} bytes would inflate to {unpacked:,}, over {INFLATION} times as many;"
                " fetch it again"
            )

    def _header(self, name: str, stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Shape and type of an array, whose entries are next in the stream."""
        version = npy.read_magic(stream)
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran_order, dtype = read_header(stream)
        if fortran_order or dtype.hasobject:
            raise InputError(f"{self._path}: array {name!r} is in Fortran's order, or holds objects; save it again")
        return shape, dtype

    @property
    def names(self) -> Sequence[str]:
        """Names of the arrays."""
        return list(self._members)

    def n_entries(self, names: Sequence[str]) -> int:
        """Number of jets: entries of the arrays with these names, none of which may hold Python objects."""
        check_names(self._path, names, self.names)
        return common_length(self._path, {name: (self._shape(name) or (0,))[0] for name in names})

    def _shape(self, name: str) -> tuple[int, ...]:
        with reading(self._path, "npz"), self._zip.open(self._members[name]) as stream:
            return self._header(name, stream)[0]

    def batches(self, names: Sequence[str], stop: int, size: int) -> Iterator[Batch]:
        """The arrays with these names, `size` jets at a time."""
        with ExitStack() as stack:
            with reading(self._path, "npz"):
                streams = {name: stack.enter_context(self._zip.open(self._members[name])) for name in names}
                headers = {name: self._header(name, stream) for name, stream in streams.items()}
            for start in range(0, stop, size):
                with reading(self._path, "npz"):
                    batch: Batch = {
                        name: _rows(streams[name], min(size, stop - start), shape[1:], dtype)
                        for name, (shape, dtype) in headers.items()
                    }
                yield batch

    def close(self) -> None:
        """Close the file."""
        self._zip.close()


def _rows(stream: IO[bytes], n: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """The next n rows of an array."""
    content = stream.read(n * int(np.prod(shape, dtype=int)) * dtype.itemsize)
    return np.frombuffer(content, dtype).reshape(n, *shape)
