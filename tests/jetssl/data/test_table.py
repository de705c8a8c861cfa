"""Whole pair files in memory."""

import numpy as np
import pytest

from jetssl.data.table import load_pairs
from resim.common.errors import InputError
from resim.pairfile.mock import write_mock
from resim.pairfile.reader import PairFile


def test_every_number_of_a_file_is_there(mock_file):
    table = load_pairs([mock_file])
    with PairFile(mock_file) as file:
        for view, name in enumerate(table.rows.views):
            valid = file.valid(name)
            assert np.array_equal(table.rows.valid[view], valid)
            assert np.array_equal(table.jets.pt[view][valid], file.jets(name, "pt")[valid])
            rows = np.flatnonzero(valid)
            place = np.concatenate([np.arange(start, start + n) for start, n in zip(table.starts[view, rows], table.counts[view, rows], strict=True)])  # fmt: skip
            assert np.array_equal(table.constituents.pt[place], file.constituents(name, "pt"))


def test_only_what_is_asked_for(mock_file):
    table = load_pairs([mock_file], views=["seed"], columns=["charge"])
    assert table.rows.views == ("seed",)
    assert table.jets.pt.shape[0] == 1
    assert set(table.constituents.other) == {"charge"}


def test_files_have_their_common_views(mock_file, tmp_path):
    other = write_mock(tmp_path / "other.h5", 20, ("nominal", "seed"), seed=2)
    table = load_pairs([mock_file, other])
    assert table.rows.views == ("nominal", "seed")
    assert table.rows.n_rows == 320
    with pytest.raises(InputError, match="herwig"):
        load_pairs([mock_file, other], views=["herwig"])
