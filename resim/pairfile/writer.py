"""Write pair files block by block; a file appears under its name when it is complete."""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from resim.card.view_plan import ViewRecord
from resim.common import hdf5_plugins
from resim.common.errors import InputError
from resim.common.hdf5_output import Hdf5Output
from resim.common.ragged import offsets_of
from resim.pairfile import schema
from resim.pairfile.provenance import Provenance
from resim.pairfile.rounding import rounded_block
from resim.pairfile.row_block import RowBlock

_ROWS_PER_HDF5_CHUNK = 4096
_ENTRIES_PER_HDF5_CHUNK = 65536
_ZSTD_LEVEL = 3


@dataclass(frozen=True, slots=True)
class Storage:
    """How a pair file keeps its numbers."""

    compression: Literal["gzip", "zstd"] = "gzip"
    """zstd: Zstandard 3, read 2.5 times as fast, by those who have the package hdf5plugin"""
    rounded: bool = False
    """constituents without the bits that no detector resolves (`resim.pairfile.rounding`)"""

    def options(self) -> dict[str, Any]:
        """Options of `h5py.Group.create_dataset`.

        Raises:
            InputError: hdf5plugin is needed, and not installed.
        """
        if self.compression == "gzip":
            return {"compression": "gzip", "compression_opts": 1, "shuffle": True}
        if not hdf5_plugins.installed():
            raise InputError(f"compression zstd: {hdf5_plugins.REMEDY}")
        packed = {"compression": hdf5_plugins.ZSTD, "compression_opts": (_ZSTD_LEVEL,), "shuffle": True}
        return packed | {"fletcher32": True}  # a sum that gzip has of its own, and Zstandard has not


PLAIN: Final = Storage()
"""As every reader of HDF5 reads it, with all bits."""


class PairWriter(Hdf5Output):
    """A new pair file, written block by block; it appears under its name when `finish` is called.

    Memory does not grow with the number of rows. With `vertices` every view has secondary vertices, with
    `cells` cells, clusters and tracks. Shards of an older `version` are joined to a file of that. With `weights`,
    names, rows have all weights of their event. `storage` says how numbers are kept.

    Raises:
        InputError: the file cannot be created, or a package for its compression is missing.
    """

    def __init__(  # noqa: PLR0913
        self,
        path: Path,
        views: list[ViewRecord],
        labels: list[str],
        sources: list[str],
        *,
        vertices: bool = False,
        version: int = schema.SCHEMA_VERSION,
        weights: Sequence[str] | None = None,
        cells: bool = False,
        storage: Storage = PLAIN,
    ) -> None:
        self._storage, self._compression = storage, storage.options()
        super().__init__(path)
        names = tuple(view.name for view in views)
        self.layout = schema.Layout(names, version, vertices, weights is not None, cells)
        self._datasets: dict[str, Any] = {}
        self._waiting: list[RowBlock] = []
        self._n_rows = 0
        with ExitStack() as undo:
            undo.push(self)
            self._create(views, labels, sources)
            if weights is not None:
                self._create_weights(weights)
            undo.pop_all()

    def _create(self, views: list[ViewRecord], labels: list[str], sources: list[str]) -> None:
        self.file.attrs.update({"schema": schema.SCHEMA, "schema_version": self.layout.version})
        if self._storage.rounded:
            self.file.attrs["rounded"] = True
        for path, column in self.layout.row_columns().items():
            self._dataset(path, column, _ROWS_PER_HDF5_CHUNK)
        self.file["hard_scatter"].attrs.update({"labels": json.dumps(labels), "sources": json.dumps(sources)})
        self.file["views"].attrs["order"] = json.dumps(self.layout.views)
        for view in views:
            for group in self.layout.ragged_groups_of(view.name):
                offsets = self._dataset(group.offsets, schema.OFFSETS, _ROWS_PER_HDF5_CHUNK)
                offsets.resize((1,))
                for path, column in group.columns.items():
                    self._dataset(path, column, _ENTRIES_PER_HDF5_CHUNK)
            settings = json.dumps(view.settings, sort_keys=True)
            attributes = {"parent": view.parent or "", "freeze": view.freeze or "", "settings": settings}
            self.file[f"views/{view.name}"].attrs.update(attributes)

    def _create_weights(self, names: Sequence[str]) -> None:
        (group,) = [found for found in self.layout.ragged_groups() if found.offsets == schema.WEIGHT_OFFSETS.name]
        self._dataset(group.offsets, schema.WEIGHT_OFFSETS, _ROWS_PER_HDF5_CHUNK).resize((1,))
        for path, column in group.columns.items():
            self._dataset(path, column, _ENTRIES_PER_HDF5_CHUNK)
        text, column = json.dumps(list(names)).encode(), schema.WEIGHT_NAMES
        dataset = self.file.create_dataset(column.name, data=np.frombuffer(text, column.dtype), **self._compression)
        dataset.attrs.update({"unit": column.unit, "doc": column.doc})

    def _dataset(self, path: str, column: schema.Column, chunk: int) -> Any:
        dataset = self.file.create_dataset(
            path, shape=(0,), maxshape=(None,), dtype=column.dtype, chunks=(chunk,), **self._compression
        )
        dataset.attrs.update({"unit": column.unit, "doc": column.doc})
        self._datasets[path] = dataset
        return dataset

    def append(self, block: RowBlock) -> None:
        """Add rows after those already there; they are written when they fill an HDF5 chunk.

        Raises:
            ValueError: the block has other views or datasets than the file.
        """
        if block.layout != self.layout:
            raise ValueError(f"{self.path}: a block of {block.layout} does not fit a file of {self.layout}")
        self._waiting.append(rounded_block(block) if self._storage.rounded else block)
        if sum(waiting.n_rows for waiting in self._waiting) >= _ROWS_PER_HDF5_CHUNK:
            self._flush()

    def _flush(self) -> None:
        """Write the waiting blocks together: every write to HDF5 costs a millisecond."""
        if not self._waiting:
            return
        for path, dataset in self._datasets.items():
            arrays = [block.arrays[path] for block in self._waiting]
            if path.endswith(("/offsets", "/vertex_offsets")):
                _extend(dataset, dataset[-1] + offsets_of(np.concatenate([np.diff(array) for array in arrays]))[1:])
            else:
                _extend(dataset, np.concatenate(arrays))
        self.check()
        self._n_rows += sum(block.n_rows for block in self._waiting)
        self._waiting = []

    def finish(self, provenance: Provenance) -> None:
        """Write the provenance and give the file its final name.

        Raises:
            ValueError: the counts of the provenance are not those of the rows written.
        """
        self._flush()
        announced = sum(source.counts.rows for source in provenance.sources)
        if announced != self._n_rows:
            raise ValueError(f"{self.path}: {self._n_rows} rows written, the provenance counts {announced}")
        self.file.attrs["provenance"] = provenance.model_dump_json()
        self.complete()


def _extend(dataset: Any, array: npt.NDArray[Any]) -> None:
    start = len(dataset)
    dataset.resize((start + len(array),))
    dataset[start:] = array
