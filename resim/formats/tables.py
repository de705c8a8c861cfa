"""Trees of ROOT files and tables of parquet files, whose columns are ragged, or arrays of fixed length."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from resim.common.errors import InputError
from resim.formats.containers import Batch, Ragged, Values, check_names, reading


class RootTree:
    """A tree of a ROOT file, read by uproot.

    Raises:
        InputError: the file cannot be read, or has no such tree.
    """

    def __init__(self, path: Path, tree: str) -> None:
        import uproot

        self._path = path
        with reading(path, "ROOT"):
            self._file = uproot.open(path)
            found = {name.split(";")[0]: kind for name, kind in self._file.classnames().items()}
            if found.get(tree) != "TTree":
                trees = ", ".join(name for name, kind in found.items() if kind == "TTree") or "none"
                raise InputError(f"{path}: has no tree {tree!r}; its trees: {trees}; correct `container.tree`")
            self._tree = self._file[tree]

    @property
    def names(self) -> Sequence[str]:
        """Names of the branches."""
        return list(self._tree.keys())

    def n_entries(self, names: Sequence[str]) -> int:
        """Number of jets."""
        check_names(self._path, names, self.names)
        return int(self._tree.num_entries)

    def batches(self, names: Sequence[str], stop: int, size: int) -> Iterator[Batch]:
        """The branches with these names, `size` jets at a time."""
        for start in range(0, stop, size):
            with reading(self._path, "ROOT"):
                end = min(start + size, stop)
                arrays = self._tree.arrays(list(names), entry_start=start, entry_stop=end, library="ak")
                batch = {name: _from_awkward(arrays[name]) for name in names}
            yield batch

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class ParquetTable:
    """A parquet file, read by pyarrow one group of rows after the other.

    Raises:
        InputError: the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        import pyarrow.parquet

        self._path = path
        with reading(path, "parquet"):
            self._file = pyarrow.parquet.ParquetFile(path)

    @property
    def names(self) -> Sequence[str]:
        """Names of the columns."""
        return list(self._file.schema_arrow.names)

    def n_entries(self, names: Sequence[str]) -> int:
        """Number of jets."""
        check_names(self._path, names, self.names)
        return int(self._file.metadata.num_rows)

    def batches(self, names: Sequence[str], stop: int, size: int) -> Iterator[Batch]:
        """The columns with these names, `size` jets at a time."""
        import pyarrow

        source, waiting = self._file.iter_batches(batch_size=size, columns=list(names)), pyarrow.table({})
        for start in range(0, stop, size):
            wanted = min(size, stop - start)
            with reading(self._path, "parquet"):
                while len(waiting) < wanted:  # groups of rows end anywhere
                    more = pyarrow.Table.from_batches([next(source)])
                    waiting = pyarrow.concat_tables([waiting, more]) if len(waiting) else more
                piece, waiting = waiting.slice(0, wanted).combine_chunks(), waiting.slice(wanted)
                batch = {name: self._from_arrow(name, piece.column(name).chunk(0)) for name in names}
            yield batch

    def _from_arrow(self, name: str, column: Any) -> Values:
        import pyarrow

        if column.null_count:
            raise InputError(f"{self._path}: column {name!r} has empty entries; fill them, or leave out these jets")
        if not isinstance(column, (pyarrow.ListArray, pyarrow.LargeListArray, pyarrow.FixedSizeListArray)):
            return np.asarray(column.to_numpy(zero_copy_only=False))
        if isinstance(column, pyarrow.FixedSizeListArray):
            return np.asarray(column.flatten().to_numpy(zero_copy_only=False)).reshape(len(column), -1)
        counts = column.value_lengths().to_numpy(zero_copy_only=False).astype(np.int64)
        return Ragged(counts, np.asarray(column.flatten().to_numpy(zero_copy_only=False)))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _from_awkward(array: Any) -> Values:
    import awkward

    if array.ndim == 1 or array.layout.purelist_isregular:  # float x[40] of ROOT
        return np.asarray(awkward.to_numpy(array))
    counts = np.asarray(awkward.to_numpy(awkward.num(array)), np.int64)
    return Ragged(counts, np.asarray(awkward.to_numpy(awkward.flatten(array))))
