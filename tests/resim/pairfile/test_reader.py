"""Files that are read, and files that are refused."""

import subprocess
import sys

import h5py
import numpy as np
import pytest

from resim.common.errors import InputError
from resim.pairfile.inspection import summarize
from resim.pairfile.mock import write_mock
from resim.pairfile.places import identity_of_place
from resim.pairfile.reader import PairFile
from resim.pairfile.validation import violations
from tests.helpers.chain import version_2


def test_round_trip_of_the_mock(tmp_path):
    path = write_mock(tmp_path / "mock.h5", n_rows=12, views=("a", "b", "c"))
    with PairFile(path) as file:
        assert len(file) == 12
        assert file.view_names == ["a", "b", "c"]
        assert set(file.label_names()) == {"one_prong", "two_prong"}
        offsets = file.offsets("b")
        assert np.diff(offsets).tolist() == file.jets("b", "n_constituents").tolist()
        assert np.isnan(file.jets("b", "pt")[~file.valid("b")]).all()
        assert len(file.constituents("b", "pt", slice(0, 3))) == 3


def test_secondary_vertices_are_read_and_counted(tmp_path):
    path = write_mock(tmp_path / "mock.h5", n_rows=40, views=("a", "b"), vertices=True)
    with PairFile(path) as file:
        offsets = file.vertex_offsets("b")
        assert offsets[-1] == len(file.vertices("b", "mass")) > 0
        assert not np.diff(offsets)[~file.valid("b")].any()
        row = int(np.argmax(np.diff(offsets)))
        of_row = file.block(row, row + 1).arrays["views/b/vertices/mass"]
        assert of_row.tolist() == file.vertices("b", "mass", slice(*offsets[row : row + 2])).tolist()
        assert summarize(path).views[1].mean_vertices == pytest.approx(np.diff(offsets)[file.valid("b")].mean())


def test_cells_are_read_by_their_groups(tmp_path):
    path = write_mock(tmp_path / "mock.h5", n_rows=40, views=("a", "b"), cells=True)
    with PairFile(path) as file:
        assert file.layout.cells
        assert file.group_offsets("b", "cells").tolist() == file.offsets("b").tolist()
        assert file.group("b", "cells", "energy").tolist() == file.constituents("b", "energy").tolist()
        offsets = file.group_offsets("b", "tracks")
        assert offsets[-1] == (file.constituents("b", "charge") != 0).sum()
        row = int(np.argmax(np.diff(offsets)))
        of_row = file.block(row, row + 1).arrays["views/b/tracks/q_over_p"]
        assert of_row.tolist() == file.group("b", "tracks", "q_over_p", slice(*offsets[row : row + 2])).tolist()


def test_a_file_without_cells_says_so(tmp_path):
    path = write_mock(tmp_path / "mock.h5", n_rows=4)
    with PairFile(path) as file, pytest.raises(InputError, match=r"has no clusters; .*`jets\.cells`"):
        file.group_offsets("nominal", "clusters")


def test_a_file_without_secondary_vertices_says_so(tmp_path):
    path = write_mock(tmp_path / "mock.h5", n_rows=4)
    with PairFile(path) as file, pytest.raises(InputError, match=r"no secondary vertices; .*`jets\.vertices`"):
        file.vertex_offsets("nominal")
    assert summarize(path).views[0].mean_vertices is None


@pytest.mark.parametrize(
    ("attribute", "value", "message"),
    [
        ("schema", "other", "schema is 'other', want 'resim.pairs'"),
        ("schema_version", 99, "schema version 99, this resim reads versions \\(2, 3\\)"),
        ("provenance", "{}", "unreadable provenance"),
    ],
)
def test_foreign_files_are_refused(tmp_path, attribute, value, message):
    path = write_mock(tmp_path / "mock.h5", n_rows=3)
    with h5py.File(path, "r+") as file:
        file.attrs[attribute] = value
    with pytest.raises(InputError, match=message):
        _ = PairFile(path).provenance


def test_a_provenance_of_other_views_is_refused(tmp_path):
    path = write_mock(tmp_path / "mock.h5", n_rows=3)
    with h5py.File(path, "r+") as file:
        file.attrs["provenance"] = file.attrs["provenance"].replace('"seed":{', '"sead":{')
    message = r"provenance: counts views \['nominal', 'sead'\], the file has \['nominal', 'seed'\]; generate"
    with PairFile(path) as file, pytest.raises(InputError, match=message):
        _ = file.provenance


def test_missing_and_non_hdf5_files(tmp_path):
    with pytest.raises(InputError, match="no such pair file"):
        PairFile(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("text")
    with pytest.raises(InputError, match="not a readable HDF5 file"):
        PairFile(tmp_path / "text.h5")


def test_truncated_file(tmp_path):
    path = write_mock(tmp_path / "mock.h5", n_rows=30)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(InputError, match="not a readable HDF5 file"):
        PairFile(path)


def test_a_file_that_another_process_writes_is_called_locked(tmp_path):
    path = write_mock(tmp_path / "mock.h5", n_rows=4)
    code = f"import h5py, sys; f = h5py.File({str(path)!r}, 'r+'); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"open\n"
        with pytest.raises(InputError, match=r"is locked: another process writes it; .* HDF5_USE_FILE_LOCKING=FALSE"):
            PairFile(path)
        process.stdin.close()


@pytest.mark.slow
def test_whatever_bit_is_flipped_the_file_is_read_or_refused_in_one_line(tmp_path):
    content, path = write_mock(tmp_path / "mock.h5", n_rows=4, views=("a",)).read_bytes(), tmp_path / "flipped.h5"
    rng, messages = np.random.default_rng(1), []
    used = np.flatnonzero(np.frombuffer(content, np.uint8))  # HDF5 leaves most of so small a file empty
    for place, bit in zip(rng.choice(used, 150), rng.integers(8, size=150), strict=True):
        flipped = bytearray(content)
        flipped[place] ^= 1 << bit
        path.write_bytes(flipped)
        try:
            violations(path)
        except InputError as error:
            messages.append(str(error))
    assert len(messages) > 30
    assert all(message.startswith(f"{path}: ") and message.isprintable() for message in messages)


@pytest.mark.parametrize(
    ("weights", "differ"),
    [([1.0] * 4, False), ([2.0, 2.0, -2.0, 2.0], True), ([1.0, 1.0, 1.0, 3.0], True), ([-1.0] * 4, True)],
)
def test_weights_that_make_hard_scatters_count_differently(tmp_path, weights, differ):
    path = write_mock(tmp_path / "mock.h5", n_rows=4)
    with h5py.File(path, "r+") as file:
        file["hard_scatter/weight"][:] = weights
    with PairFile(path) as file:
        assert file.weights_differ is differ


def test_files_of_version_2_are_read_and_know_hard_scatters_by_their_place(tmp_path):
    path = version_2(tmp_path)
    assert violations(path) == []
    with PairFile(path) as file:
        assert file.version == 2
        assert "hard_scatter/identity" not in file.datasets
        identity = file.hard_scatter("identity")
        places = (file.source_hashes, file.hard_scatter("source"), file.hard_scatter("event"))
        assert identity.tolist() == identity_of_place(*places).tolist()
        assert len(set(identity.tolist())) == len(file) == 6
        assert file.block(2, 4).layout.version == 2
