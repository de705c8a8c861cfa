"""Frames as PyTables lays them out; those that pandas writes are read in test_import_jets."""

import h5py
import numpy as np
import pytest

from resim.common.errors import InputError
from resim.formats.pandas_frame import PandasFrame

PYTHON_2 = b"(lp1\nS'E_0'\np2\naS'E_1'\np3\naS'PX_1'\np4\na."


def table(path, kind=PYTHON_2):
    block = np.zeros(4, [("index", "<i8"), ("values_block_0", "<f4", 3), ("label", "<i8")])
    block["values_block_0"], block["label"] = np.arange(12).reshape(4, 3), [3, 2, 1, 0]
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("table/table", data=block)
        dataset.attrs["values_block_0_kind"] = np.bytes_(kind)
    return path


def test_names_of_a_frame_that_python_2_wrote(tmp_path):
    frame = PandasFrame(table(tmp_path / "a.h5"), "table")
    assert set(frame.names) == {"E", "E_0", "E_1", "PX_1", "label"}  # PX has no number 0
    assert frame.n_entries(["E"]) == 4
    one, two = frame.batches(["E", "PX_1", "label"], 3, 2)
    assert np.concatenate([one["E"], two["E"]]).tolist() == [[0, 1], [3, 4], [6, 7]]
    assert np.concatenate([one["PX_1"], two["PX_1"]]).tolist() == [2, 5, 8]
    assert two["label"].tolist() == [1]
    frame.close()


def test_a_pickle_that_would_run_code_is_text_to_us(tmp_path):
    frame = PandasFrame(table(tmp_path / "a.h5", b"cos\nsystem\n(S'touch here'\ntR."), "table")
    assert "touch here" in frame.names
    frame.close()


def test_a_file_without_a_frame(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = [1]
    with pytest.raises(InputError, match="holds no data frame 'table' of pandas"):
        PandasFrame(tmp_path / "a.h5", "table")
