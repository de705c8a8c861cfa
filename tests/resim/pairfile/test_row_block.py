"""Rows in memory fit the schema."""

import numpy as np
import pytest

from resim.pairfile.mock import write_mock
from resim.pairfile.reader import PairFile
from resim.pairfile.row_block import RowBlock


def block_of(path) -> RowBlock:
    with PairFile(path) as file:
        names = file.datasets
        return RowBlock(tuple(file.view_names), {name: file.read(name) for name in names})


def test_a_block_that_does_not_fit_the_schema_is_refused(tmp_path):
    block = block_of(write_mock(tmp_path / "mock.h5", n_rows=3))
    for change in (
        {"views/seed/jets/pt": np.zeros(3)},
        {"views/seed/jets/pt": np.zeros(2, "<f4")},
        {"views/seed/jets/more": np.zeros(3)},
    ):
        with pytest.raises(ValueError, match="block: "):
            RowBlock(block.views, block.arrays | change)
