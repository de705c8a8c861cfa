"""Files in the layouts of others, written in pieces; each appears under its name when it is complete."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from resim.common.arrays import Arrays
from resim.common.atomic_write import OTHER_OUTPUT, atomic_write
from resim.common.hdf5_output import Hdf5Output

_COMPRESSION = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
_JETS_PER_HDF5_CHUNK = 100


class Sink(Protocol):
    """What takes the jets piece by piece."""

    def append(self, jets: Arrays, particles: Arrays, counts: npt.NDArray[np.int64]) -> None:
        """Add jets: columns of jets `(n_jets,)`, of constituents `(counts.sum(),)`, and constituents of each jet."""


class _RootTree:
    def __init__(self, file: Any) -> None:
        self._file, self._started = file, False

    def append(self, jets: Arrays, particles: Arrays, counts: npt.NDArray[np.int64]) -> None:
        """Fill the tree; constituents are branches `part_...` with the common counter `npart`."""
        import awkward

        content = awkward.zip({name: awkward.unflatten(values, counts) for name, values in particles.items()})
        columns = {"part": content, **jets}
        if not self._started:
            self._file.mktree("tree", {"part": content.type, **{name: jets[name].dtype for name in jets}})
            self._started = True
        self._file["tree"].extend(columns)


@contextmanager
def root_tree(output: Path) -> Iterator[Sink]:
    """A ROOT file with one tree, `tree`.

    Raises:
        InputError: it cannot be written.
    """
    import uproot

    with atomic_write(output, OTHER_OUTPUT) as partial, uproot.recreate(partial) as file:
        yield _RootTree(file)


class _ParquetTable:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Any = None

    def append(self, jets: Arrays, particles: Arrays, counts: npt.NDArray[np.int64]) -> None:
        """Add a group of rows; constituents are lists in columns `part_...`."""
        import pyarrow
        import pyarrow.parquet

        offsets = pyarrow.array(np.concatenate([[0], np.cumsum(counts)]).astype(np.int32))
        lists = {f"part_{k}": pyarrow.ListArray.from_arrays(offsets, pyarrow.array(v)) for k, v in particles.items()}
        table = pyarrow.table({**{name: pyarrow.array(values) for name, values in jets.items()}, **lists})
        if self._writer is None:
            self._writer = pyarrow.parquet.ParquetWriter(self._path, table.schema)
        self._writer.write_table(table)

    def close(self) -> None:
        """Write what stands at the end of the file."""
        if self._writer is not None:
            self._writer.close()


@contextmanager
def parquet_table(output: Path) -> Iterator[Sink]:
    """A parquet file.

    Raises:
        InputError: it cannot be written.
    """
    with atomic_write(output, OTHER_OUTPUT) as partial:
        table = _ParquetTable(partial)
        yield table
        table.close()


class PaddedArrays(Hdf5Output):
    """An HDF5 file of arrays with one entry a jet; `complete` gives it its name.

    Args:
        path: the file.
        attributes: of the file.

    Raises:
        InputError: it cannot be written.
    """

    def __init__(self, path: Path, attributes: Mapping[str, str]) -> None:
        super().__init__(path)
        self.file.attrs.update(attributes)

    def append(self, arrays: Arrays) -> None:
        """Add jets, `(n_jets, ...)` each; all pieces have the same arrays."""
        for name, values in arrays.items():
            if name not in self.file:
                shape = (_JETS_PER_HDF5_CHUNK, *values.shape[1:])
                options = {"maxshape": (None, *values.shape[1:]), "chunks": shape, **_COMPRESSION}
                self.file.create_dataset(name, shape=(0, *values.shape[1:]), dtype=values.dtype, **options)
            dataset = self.file[name]
            start = len(dataset)
            dataset.resize(start + len(values), axis=0)
            dataset[start:] = values
        self.check()
