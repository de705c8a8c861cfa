"""The digest knows the arrays, and nothing else."""

import h5py
import pytest

from resim.pairfile.digest import digest
from resim.pairfile.mock import write_mock


def test_equal_arrays_equal_digest(tmp_path):
    one, other = (write_mock(tmp_path / name, 20) for name in ("a.h5", "b.h5"))
    assert digest(one) == digest(other)
    with h5py.File(other, "r+") as file:
        file.attrs["provenance"] = file.attrs["provenance"].replace('"workers":1', '"workers":2')
    assert digest(one) == digest(other)
    assert digest(one) != digest(write_mock(tmp_path / "c.h5", 20, seed=2))


@pytest.mark.parametrize("path", ["hard_scatter/weight", "views/seed/jets/pt", "views/nominal/constituents/charge"])
def test_one_value_of_any_array_counts(tmp_path, path):
    file_path = write_mock(tmp_path / "a.h5", 20)
    before = digest(file_path)
    with h5py.File(file_path, "r+") as file:
        file[path][-1] = file[path][-1] + 1
    assert digest(file_path) != before
