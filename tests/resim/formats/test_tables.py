"""Parquet and ROOT files with faults; sound ones are read in test_import_jets."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import uproot

from resim.common.errors import InputError
from resim.formats.tables import ParquetTable, RootTree


def test_parquet_is_read_in_pieces(tmp_path):
    table = pa.table({"x": [[1.0], [], [2.0, 3.0], [4.0], [5.0]], "y": [1, 2, 3, 4, 5]})
    pa.parquet.write_table(table, tmp_path / "a.parquet", row_group_size=2)
    container = ParquetTable(tmp_path / "a.parquet")
    assert container.n_entries(["x"]) == 5
    pieces = list(container.batches(["x", "y"], 4, 3))
    assert [len(piece["y"]) for piece in pieces] == [3, 1]
    container.close()
    assert np.concatenate([piece["x"].counts for piece in pieces]).tolist() == [1, 0, 2, 1]
    assert np.concatenate([piece["x"].values for piece in pieces]).tolist() == [1, 2, 3, 4]
    assert np.concatenate([piece["y"] for piece in pieces]).tolist() == [1, 2, 3, 4]


def test_an_empty_entry_is_refused(tmp_path):
    pa.parquet.write_table(pa.table({"x": [1.0, None]}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match="column 'x' has empty entries; fill them, or leave out these jets"):
        list(ParquetTable(tmp_path / "a.parquet").batches(["x"], 2, 2))


def test_a_branch_of_a_tree(tmp_path):
    with uproot.recreate(tmp_path / "a.root") as file:
        file.mktree("t", {"y": np.int32})
        file["t"].extend({"y": np.arange(5, dtype=np.int32)})
    tree = RootTree(tmp_path / "a.root", "t")
    assert (tree.n_entries(["y"]), list(tree.names)) == (5, ["y"])
    assert [piece["y"].tolist() for piece in tree.batches(["y"], 5, 3)] == [[0, 1, 2], [3, 4]]
    tree.close()


@pytest.mark.parametrize(
    ("opened", "kind"), [(ParquetTable, "parquet"), (lambda path: RootTree(path, "tree"), "ROOT")]
)
def test_another_kind_of_file_is_said_in_one_line(tmp_path, opened, kind):
    (tmp_path / "a").write_bytes(b"nothing of that kind" * 50)
    with pytest.raises(InputError, match=f"a: not a readable {kind} file .*; fetch it again"):
        opened(tmp_path / "a")
