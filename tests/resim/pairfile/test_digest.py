"""The digest knows the arrays, and nothing else."""

import h5py
import pytest

from resim.pairfile.digest import digest
from resim.pairfile.mock import write_mock
from tests.helpers.chain import version_2


def test_equal_arrays_equal_digest(tmp_path):
    one, other = (write_mock(tmp_path / name, 20) for name in ("a.h5", "b.h5"))
    assert digest(one) == digest(other)
    with h5py.File(other, "r+") as file:
        file.attrs["provenance"] = file.attrs["provenance"].replace('"workers":1', '"workers":2')
    assert digest(one) == digest(other)
    assert digest(one) != digest(write_mock(tmp_path / "c.h5", 20, seed=2))


@pytest.mark.parametrize(
    "path",
    ["hard_scatter/weight", "hard_scatter/identity", "views/seed/jets/pt", "views/nominal/constituents/charge"],
)
def test_one_value_of_any_array_counts(tmp_path, path):
    file_path = write_mock(tmp_path / "a.h5", 20)
    before = digest(file_path)
    with h5py.File(file_path, "r+") as file:
        file[path][-1] = file[path][-1] + 1
    assert digest(file_path) != before


def test_a_file_of_version_2_keeps_its_digest(tmp_path):
    assert digest(version_2(tmp_path)) == "d5e88a85bd6da22666d1448af34d6198e7657f5d241bc112c8273dc1485d5639"


def test_the_digest_of_an_older_version_leaves_out_what_came_later(tmp_path):
    path = write_mock(tmp_path / "a.h5", 20)
    before, all_columns = digest(path, version=2), digest(path)
    with h5py.File(path, "r+") as file:
        file["hard_scatter/identity"][-1] = 5
    assert digest(path, version=2) == before
    assert digest(path) != all_columns
