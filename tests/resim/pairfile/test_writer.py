"""A file that was not finished is not there."""

import sys

import h5py
import pytest

from resim.card.view_plan import ViewRecord
from resim.common.errors import InputError
from resim.pairfile.digest import digest
from resim.pairfile.merging import merge
from resim.pairfile.mock import write_mock
from resim.pairfile.reader import PairFile
from resim.pairfile.rounding import rounded_block
from resim.pairfile.validation import violations
from resim.pairfile.writer import PairWriter, Storage


def test_nothing_stays_under_the_final_name_without_finish(tmp_path):
    view = ViewRecord("nominal", None, None, {})
    with pytest.raises(RuntimeError, match="stop"), PairWriter(tmp_path / "x.h5", [view], ["a"], ["00"]):
        raise RuntimeError("stop")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def mock(tmp_path_factory):
    return write_mock(tmp_path_factory.mktemp("mock") / "m.h5", 300)


def test_another_compression_holds_the_same(mock, tmp_path):
    merge([mock], tmp_path / "z.h5", Storage("zstd"))
    assert digest(tmp_path / "z.h5") == digest(mock)
    assert violations(tmp_path / "z.h5") == []
    merge([tmp_path / "z.h5"], tmp_path / "g.h5")
    assert digest(tmp_path / "g.h5") == digest(mock)


def test_rounded_files_are_smaller_and_say_so_and_stay_so(mock, tmp_path):
    merge([mock], tmp_path / "r.h5", Storage(rounded=True))
    merge([tmp_path / "r.h5"], tmp_path / "again.h5", Storage("zstd"))
    assert violations(tmp_path / "r.h5") == []
    assert digest(tmp_path / "r.h5") == digest(tmp_path / "again.h5") != digest(mock)
    with PairFile(mock) as before, PairFile(tmp_path / "r.h5") as after, PairFile(tmp_path / "again.h5") as again:
        assert (before.rounded, after.rounded, again.rounded) == (False, True, True)
        wanted, found = rounded_block(before.block(0, 300)), after.block(0, 300)
        assert all(wanted.arrays[path].tobytes() == values.tobytes() for path, values in found.arrays.items())


def test_without_the_plugin_zstd_is_one_clear_line(mock, tmp_path, monkeypatch):
    merge([mock], tmp_path / "z.h5", Storage("zstd"))
    monkeypatch.setitem(sys.modules, "hdf5plugin", None)
    remedy = r"the package hdf5plugin unpacks that; install it with: pip install 'resim-jets\[formats\]'$"
    with pytest.raises(InputError, match=rf"z\.h5: dataset \S+ is compressed with Zstandard; {remedy}"):
        PairFile(tmp_path / "z.h5")
    with pytest.raises(InputError, match=rf"^compression zstd: {remedy}"):
        merge([mock], tmp_path / "y.h5", Storage("zstd"))
    assert [path.name for path in tmp_path.iterdir()] == ["z.h5"]


def test_a_damaged_chunk_of_zstd_is_refused(mock, tmp_path):
    """By the size that it announces before it is unpacked, by its sum after that."""
    merge([mock], tmp_path / "z.h5", Storage("zstd"))
    content, name = (tmp_path / "z.h5").read_bytes(), "hard_scatter/parton_pt"
    with h5py.File(tmp_path / "z.h5") as file:
        place = file[name].id.get_chunk_info(0).byte_offset
    for offset, message in ((6, "is damaged: a chunk unpacks to another size"), (40, "cannot be read")):
        at = place + offset
        (tmp_path / "y.h5").write_bytes(content[:at] + bytes([content[at] ^ 64]) + content[at + 1 :])
        with pytest.raises(InputError, match=rf"y\.h5: dataset {name} {message}.*; generate the file again$"):
            PairFile(tmp_path / "y.h5").hard_scatter("parton_pt")
