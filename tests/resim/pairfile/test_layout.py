"""A pair file opens only if all its columns are there, of one length, and in the file itself."""

import h5py
import numpy as np
import pytest

from resim.common.errors import InputError
from resim.pairfile.digest import digest
from resim.pairfile.layout import LayoutError
from resim.pairfile.merging import merge
from resim.pairfile.mock import write_mock
from resim.pairfile.reader import PairFile
from resim.pairfile.validation import violations

N_ROWS = 12


def replaced(path, **how):
    def change(file):
        del file[path]
        file.create_dataset(path, **how)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda file: file.__delitem__("views/nominal/jets/pt"), "views/nominal/jets/pt: missing"),
        (replaced("hard_scatter/event", data=np.int64(1)), r"hard_scatter/event: shape \(\), want one dimension"),
        (replaced("views/nominal/jets/pt", data=np.ones((1, N_ROWS), "f4")), r"jets/pt: shape \(1, 12\), want one"),
        (replaced("views/nominal/jets/pt", data=np.ones(N_ROWS, "f8")), "jets/pt: dtype <f8, want <f4"),
        (replaced("hard_scatter/event", data=np.arange(N_ROWS + 1)), "hard_scatter/source: 12 entries, want 13"),
    ],
)
def test_no_reader_opens_a_file_of_another_layout(tmp_path, change, message):
    path = write_mock(tmp_path / "mock.h5", N_ROWS)
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(LayoutError, match=rf"mock\.h5: .*{message}.*; generate the file again"):
        PairFile(path)
    assert violations(path)
    with pytest.raises(InputError):
        digest(path)


def test_bytes_of_another_file_are_not_merged(tmp_path):
    path, secret = write_mock(tmp_path / "mock.h5", N_ROWS), tmp_path / "secret"
    secret.write_bytes(bytes(range(N_ROWS)) * 8)
    with h5py.File(path, "r+") as file:
        replaced("hard_scatter/event", shape=(N_ROWS,), dtype="<i8", external=[(secret, 0, N_ROWS * 8)])(file)
    for read in (violations, digest, lambda path: merge([path], tmp_path / "merged.h5")):
        with pytest.raises(InputError, match="dataset hard_scatter/event has external storage"):
            read(path)
    assert not (tmp_path / "merged.h5").exists()


def test_a_column_that_the_schema_does_not_know_is_a_violation_and_no_obstacle(tmp_path):
    path = write_mock(tmp_path / "mock.h5", N_ROWS)
    with h5py.File(path, "r+") as file:
        file["hard_scatter/mine"] = np.ones(3)
    with PairFile(path) as file:
        assert file.strangers == ["hard_scatter/mine"]
    assert violations(path) == ["hard_scatter/mine: not part of the schema"]
