import shutil

import h5py
import pytest

from resim import replay as module
from resim.errors import InputError
from resim.reader import PairFile
from resim.replay import replay
from tests.resim.conftest import HARD_SCATTERS


def test_every_row_comes_out_as_it_is_in_the_file(pairs):
    with PairFile(pairs) as file:
        n_rows = len(file)
    for row in range(0, n_rows, 3):
        assert replay(pairs, row).differing == ()


def test_a_row_that_was_changed_is_found_out(pairs, tmp_path):
    changed = tmp_path / "changed.h5"
    shutil.copy(pairs, changed)
    with h5py.File(changed, "r+") as file:
        row = int(file["views/rehadron/valid"][:].nonzero()[0][0])
        file["views/rehadron/jets/pt"][row] *= 1.0001
    assert replay(changed, row).differing == ("views/rehadron/jets/pt",)


def test_versions_that_changed_are_named(pairs, monkeypatch):
    monkeypatch.setattr(module, "versions", lambda: {"pythia8mc": "9.0"})
    assert replay(pairs, 0).changed_versions == {"pythia8mc": ("8.317.2", "9.0")}


def test_the_lhe_file_may_have_moved(pairs, tmp_path):
    moved = tmp_path / "moved.lhe.gz"
    shutil.copy(HARD_SCATTERS / "hbb_j.lhe.gz", moved)
    found = replay(pairs, 0, moved)
    assert found.lhe == moved
    assert found.differing == ()
    with pytest.raises(InputError, match=r"the row was made from .*give the original file with --lhe"):
        replay(pairs, 0, HARD_SCATTERS / "top.lhe.gz")


@pytest.mark.parametrize("row", [-1, 10**6])
def test_no_such_row(pairs, row):
    with pytest.raises(InputError, match=rf"row {row} does not exist, the file has rows 0 \.\.\."):
        replay(pairs, row)
