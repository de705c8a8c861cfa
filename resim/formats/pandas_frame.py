"""Data frames that pandas wrote to HDF5 (`DataFrame.to_hdf`), read without pandas and without unpickling anything.

A frame in format `table` is one table of PyTables: field `values_block_0` holds all columns of one type, and the
attribute `values_block_0_kind` their names, as a pickled list; names are taken from the text of the pickle. In format
`fixed` there are datasets `block0_values` and `block0_items`.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from resim.common.arrays import Arrays
from resim.formats.arrays import ForeignHdf5
from resim.formats.containers import Batch, check_names

_PICKLED_NAME: Final = re.compile(rb"(?:^|[\n(a])(?:V|S')([^\n']+)'?\n")
"""A text in a pickle of protocol 0, which PyTables uses: V of Python 3, S of Python 2."""
_NUMBERED: Final = re.compile(r"(.+)_(\d+)")


class _Place(NamedTuple):
    """Where a column lies: dataset, field of it if it is a table, place on the second axis; None: it has no such."""

    dataset: str
    field: str | None
    place: int | None


class PandasFrame(ForeignHdf5):
    """A data frame; columns E_0, E_1 ... are the array E, `(n_jets, n)`.

    Raises:
        InputError: as `Hdf5Input`, or there is no frame of that name.
    """

    def __init__(self, path: Path, key: str) -> None:
        super().__init__(path)
        self._places = dict(
            self._of_table(f"{key}/table") if f"{key}/table" in self.datasets else self._of_blocks(key)
        )
        if not self._places:
            self.close()
            raise self.refusal(f"holds no data frame {key!r} of pandas")
        self._arrays = dict(_numbered(list(self._places)))

    def _of_table(self, table: str) -> Iterator[tuple[str, _Place]]:
        for field in self.datasets[table].dtype.names or ():
            pickled = self.attribute(f"{field}_kind", table)
            if field.startswith("values_block_") and isinstance(pickled, bytes):
                names = [name.decode(errors="replace") for name in _PICKLED_NAME.findall(pickled)]
                yield from ((name, _Place(table, field, i)) for i, name in enumerate(names))
            elif field != "index":
                yield field, _Place(table, field, None)

    def _of_blocks(self, key: str) -> Iterator[tuple[str, _Place]]:
        for dataset in self.datasets:
            if found := re.fullmatch(re.escape(key) + r"/block(\d+)_items", dataset):
                values = f"{key}/block{found[1]}_values"
                names = [name.decode(errors="replace") for name in self.read(dataset).astype(bytes)]
                yield from ((name, _Place(values, None, i)) for i, name in enumerate(names))

    @property
    def names(self) -> Sequence[str]:
        """Names of arrays and columns."""
        return [*self._arrays, *self._places]

    def n_entries(self, names: Sequence[str]) -> int:
        """Number of jets."""
        check_names(self.path, names, self.names)
        return self.datasets[next(iter(self._places.values())).dataset].shape[0]

    def batches(self, names: Sequence[str], stop: int, size: int) -> Iterator[Batch]:
        """The arrays and columns with these names, `size` jets at a time."""
        columns = {name: self._arrays.get(name, [name]) for name in names}
        datasets = {self._places[column].dataset for parts in columns.values() for column in parts}
        for start in range(0, stop, size):
            rows = slice(start, min(start + size, stop))
            blocks = {dataset: self.read(dataset, rows) for dataset in datasets}
            batch: Batch = {}
            for name, parts in columns.items():
                found = [_taken(blocks, self._places[column]) for column in parts]
                batch[name] = np.stack(found, axis=1) if name in self._arrays else found[0]
            yield batch


def _taken(blocks: Arrays, where: _Place) -> npt.NDArray[Any]:
    block = blocks[where.dataset]
    values = block[where.field] if where.field is not None else block
    return np.asarray(values if where.place is None else values[:, where.place])


def _numbered(columns: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Arrays that are written as columns with the numbers 0, 1, ... : name → columns in this order."""
    numbers: dict[str, set[int]] = defaultdict(set)
    for found in filter(None, map(_NUMBERED.fullmatch, columns)):
        numbers[found[1]].add(int(found[2]))
    for name, present in numbers.items():
        if present == set(range(len(present))):
            yield name, [f"{name}_{i}" for i in range(len(present))]
