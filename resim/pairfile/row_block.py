"""Rows of a pair file in memory: a worker returns them, the writer appends them."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from resim.common.arrays import Arrays
from resim.pairfile import schema


@dataclass(frozen=True, slots=True)
class RowBlock:
    """Consecutive rows with all their views.

    Attributes:
        views: names of the views, root first.
        arrays: every dataset of `resim.pairfile.schema` by its path in the file; row columns `(n_rows,)`, constituent
            columns `(n_constituents,)`, those of secondary vertices, cells, clusters and tracks likewise or none at
            all, offsets `(n_rows + 1,)` starting at 0.
    """

    views: tuple[str, ...]
    arrays: dict[str, npt.NDArray[Any]] = field(repr=False)

    def __post_init__(self) -> None:
        """Check names, dtypes and lengths against the schema.

        Raises:
            ValueError: a dataset is missing, unknown, of another dtype or of another length.
        """
        expected = {path: (column, self.n_rows) for path, column in self.layout.row_columns().items()}
        for group in self.layout.ragged_groups():
            n_entries = int(self.arrays[group.offsets][-1])
            expected[group.offsets] = (schema.OFFSETS, self.n_rows + 1)
            expected |= {path: (column, n_entries) for path, column in group.columns.items()}
        if odd := set(expected) ^ set(self.arrays):
            raise ValueError(f"block: datasets {sorted(odd)} are missing or unknown; see resim.pairfile.schema")
        for path, (column, length) in expected.items():
            array = self.arrays[path]
            if array.dtype != np.dtype(column.dtype) or array.shape != (length,):
                raise ValueError(
                    f"block: {path} is {array.dtype}{array.shape}, the schema wants {column.dtype}({length},)"
                )

    def row(self, i: int) -> "RowBlock":
        """Row `i` alone."""
        arrays = {path: self.arrays[path][i : i + 1] for path in self.layout.row_columns()}
        for group in self.layout.ragged_groups():
            start, stop = self.arrays[group.offsets][i : i + 2]
            arrays[group.offsets] = np.array([0, stop - start])
            arrays |= {path: self.arrays[path][start:stop] for path in group.columns}
        return RowBlock(self.views, arrays)

    @property
    def layout(self) -> schema.Layout:
        """Which datasets there are."""
        version = schema.SCHEMA_VERSION if "hard_scatter/identity" in self.arrays else 2
        vertices = schema.vertex_offsets_path(self.views[0]) in self.arrays
        weights = schema.WEIGHT_OFFSETS.name in self.arrays
        cells = schema.group_offsets_path(self.views[0], "cells") in self.arrays
        return schema.Layout(self.views, version, vertices, weights, cells)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.arrays["hard_scatter/event"])


def invalid_jet_columns(n_rows: int) -> Arrays:
    """Jet columns of rows without a jet, `(n_rows,)` each: NaN for floats, 0 for integers; dtypes of the schema."""
    columns = {}
    for column in schema.JETS:
        dtype = np.dtype(column.dtype)
        columns[column.name] = np.full(n_rows, np.nan if dtype.kind == "f" else 0, dtype=dtype)
    return columns
