"""Which datasets a pair file must have, and how long they are."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from resim.common.errors import InputError
from resim.common.hdf5_input import Stored
from resim.pairfile import schema


class LayoutError(InputError):
    """Datasets of a pair file are missing, or have another type or length than the schema says.

    Attributes:
        faults: one line for each.
    """

    def __init__(self, path: object, faults: Sequence[str]) -> None:
        count = f" ({len(faults)} such faults)" if len(faults) > 1 else ""
        super().__init__(f"{path}: {faults[0]}{count}; generate the file again")
        self.faults = list(faults)


Expected = dict[str, tuple[schema.Column, int]]
"""Path -> column and number of entries of every dataset."""


def expected_layout(stored: Mapping[str, Stored], layout: schema.Layout) -> Expected:
    """What the schema asks of a file with this layout; the first dataset of a kind says how long all of it are.

    Args:
        stored: path -> shape and type of every dataset of the file.
        layout: which datasets it should have.
    """
    n_rows = _length(stored, "hard_scatter/event")
    expected = {path: (column, n_rows) for path, column in layout.row_columns().items()}
    for group in layout.ragged_groups():
        n_entries = _length(stored, next(iter(group.columns)))
        expected[group.offsets] = (schema.OFFSETS, n_rows + 1)
        expected |= {path: (column, n_entries) for path, column in group.columns.items()}
    if layout.weights:
        names = schema.WEIGHT_NAMES
        expected[names.name] = (names, _length(stored, names.name))
    return expected


def layout_faults(stored: Mapping[str, Stored], expected: Expected) -> Iterator[str]:
    """What is missing, or of another type or length than the schema says, one line each."""
    for path, (column, length) in expected.items():
        if path not in stored:
            yield f"{path}: missing"
        elif (dtype := stored[path].dtype) != np.dtype(column.dtype):
            yield f"{path}: dtype {dtype.str}, want {column.dtype}"
        elif len(shape := stored[path].shape) != 1:
            yield f"{path}: shape {shape}, want one dimension"
        elif shape[0] != length:
            yield f"{path}: {shape[0]} entries, want {length}"


def _length(stored: Mapping[str, Stored], path: str) -> int:
    return stored[path].shape[0] if path in stored and stored[path].shape else 0
