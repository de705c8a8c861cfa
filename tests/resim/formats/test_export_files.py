"""Files appear whole or not at all, and do not depend on the size of the pieces."""

import h5py
import numpy as np
import pyarrow.parquet
import pytest
import uproot

from resim.formats.export_files import PaddedArrays, parquet_table, root_tree

COUNTS = np.array([2, 0, 3, 1])
JETS = {"jet_pt": np.arange(4, dtype=np.float32), "label_QCD": np.array([1, 0, 0, 1], np.int32)}
PARTICLES = {"px": np.arange(6, dtype=np.float32)}


def fill(sink, size):
    offsets = np.append(0, np.cumsum(COUNTS))
    for start in range(0, 4, size):
        part = slice(offsets[start], offsets[min(start + size, 4)])
        jets = {name: values[start : start + size] for name, values in JETS.items()}
        sink.append(jets, {"px": PARTICLES["px"][part]}, COUNTS[start : start + size])


@pytest.mark.parametrize("size", [1, 3, 4])
def test_pieces_make_one_table(tmp_path, size):
    with root_tree(tmp_path / "a.root") as sink:
        fill(sink, size)
    with parquet_table(tmp_path / "a.parquet") as sink:
        fill(sink, size)
    with uproot.open(tmp_path / "a.root") as file:
        tree = file["tree"].arrays(["part_px", "jet_pt"])
        assert tree["part_px"].tolist() == [[0, 1], [], [2, 3, 4], [5]]
        assert tree["jet_pt"].tolist() == [0, 1, 2, 3]
    table = pyarrow.parquet.read_table(tmp_path / "a.parquet")
    assert table["part_px"].to_pylist() == [[0, 1], [], [2, 3, 4], [5]]
    assert table["label_QCD"].to_pylist() == [1, 0, 0, 1]


def test_arrays_grow(tmp_path):
    with PaddedArrays(tmp_path / "a.h5", {"note": "x"}) as arrays:
        for size in (150, 30):
            arrays.append({"x": np.full((size, 2), size, np.float32)})
        arrays.complete()
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["x"][:, 0].tolist() == 150 * [150] + 30 * [30]
        assert file.attrs["note"] == "x"


@pytest.mark.parametrize("opened", [root_tree, parquet_table, lambda path: PaddedArrays(path, {})])
def test_an_error_leaves_nothing(tmp_path, opened):
    def stop():
        with opened(tmp_path / "a"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    assert not list(tmp_path.iterdir())
