import subprocess
import sys

import h5py
import pytest

from resim.common import hdf5_heaps
from resim.common.hdf5_heaps import damaged_heap
from resim.pairfile.mock import write_mock

HEADER, OBJECT = 16, 16


@pytest.fixture
def pairs(tmp_path):
    write_mock(tmp_path / "pairs.h5", 20, ("nominal", "seed"))
    return tmp_path / "pairs.h5"


def heap_of(path):
    return path.read_bytes().index(b"GCOL")


def damage(path, place, content):
    damaged = bytearray(path.read_bytes())
    damaged[place : place + len(content)] = content
    path.write_bytes(damaged)


def test_a_sound_file_has_no_damaged_heap(pairs):
    assert b"GCOL" in pairs.read_bytes()
    assert damaged_heap(pairs) is None


@pytest.mark.parametrize(
    ("index", "length"),
    [(0, 0), (1, 2**64 - 16), (1, 2**63), (1, 5000), (0, 2**64 - 1)],
    ids=["free space of no length", "overflow", "backwards", "beyond the end", "huge"],
)
def test_objects_that_lead_nowhere_are_seen(pairs, index, length):
    heap = heap_of(pairs)
    damage(pairs, heap + HEADER, index.to_bytes(2, "little"))
    damage(pairs, heap + HEADER + OBJECT - 8, length.to_bytes(8, "little"))
    assert damaged_heap(pairs) == heap


@pytest.mark.parametrize("command", ["inspect", "validate", "digest"])
def test_commands_end_where_hdf5_does_not(pairs, command):
    """In a process of its own, for nothing interrupts HDF5."""
    heap = heap_of(pairs)
    damage(pairs, heap + HEADER, bytes(OBJECT))
    code = "from resim.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, command, str(pairs)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 1
    told = done.stderr.strip().splitlines()
    assert len(told) == 1
    assert f"the heap of its texts at byte {heap} is damaged" in told[0]


def test_text_that_looks_like_a_heap_is_none(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["data"] = [int.from_bytes(b"GCOLGCOL", "little")] * 5
    assert damaged_heap(tmp_path / "a.h5") is None


def test_large_files_are_not_searched(pairs, monkeypatch):
    damage(pairs, heap_of(pairs) + HEADER, bytes(OBJECT))
    monkeypatch.setattr(hdf5_heaps, "HDF5_HEAPS_WITHIN", 1000)
    assert damaged_heap(pairs) is None
