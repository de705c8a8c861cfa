"""What readers of packages make of files."""

from typing import Literal

import numpy as np
import pytest

from resim.common.errors import InputError
from resim.formats.containers import Ragged, Reader
from resim.formats.mapping_card import ContainerSection


class Section(ContainerSection):
    kind: Literal["given"] = "given"


def reader_of(tmp_path, column):
    class Given(Reader):
        section = Section

        def read(self, path, card):
            return {"pt": column}

    return Given(tmp_path / "x.txt", Section())


def test_columns_come_in_parts(tmp_path):
    reader = reader_of(tmp_path, Ragged(np.array([2, 0, 1]), np.arange(3.0)))
    first, second = reader.batches(["pt"], 3, 2)
    assert (first["pt"].counts.tolist(), first["pt"].values.tolist()) == ([2, 0], [0, 1])
    assert (second["pt"].counts.tolist(), second["pt"].values.tolist()) == ([1], [2])
    assert reader.n_entries(["pt"]) == 3


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([1.0, 2.0], "column pt is no array"),
        (np.float64(1), "column pt is no array"),
        (Ragged([1, 1], np.ones(2)), "column pt is no array"),
        (Ragged(np.array([1, 1]), np.ones(5)), "column pt has 5 values, its counts say 2"),
    ],
)
def test_what_is_no_column_is_one_line(tmp_path, column, message):
    with pytest.raises(InputError, match=rf"x\.txt: not a readable given file \({message}"):
        reader_of(tmp_path, column)
