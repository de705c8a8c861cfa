"""`jetssl embed`: every view and row of a pair file, in bounded memory, whole or not at all."""

import errno
import json
import re
import shutil
from contextlib import nullcontext

import h5py
import numpy as np
import pytest
import torch

from jetssl.common.threads import torch_threads
from jetssl.data.jet_table import read_jets
from jetssl.data.jets import gather_jets
from jetssl.data.table import load_pairs
from jetssl.data.tensors import to_tensors
from jetssl.evaluation import embed as module
from jetssl.evaluation.embed import embed_file
from jetssl.evaluation.embedding import BATCH_SIZE, embed
from jetssl.evaluation.embedding_file import EmbeddingProvenance, EmbeddingWriter
from jetssl.models.checkpoints import load_encoder
from resim.common.errors import InputError
from resim.pairfile.mock import write_mock
from resim.pairfile.reader import PairFile
from tests.helpers.forked import run_jetssl, run_program


@pytest.fixture(scope="module")
def other_file(tmp_path_factory):
    """Other views than those that the run was trained on, and a row that is nowhere valid."""
    return write_mock(tmp_path_factory.mktemp("other") / "pairs.h5", 90, ("nominal", "pileup"), seed=5, p_valid=0.7)


@pytest.fixture(scope="module")
def written(finished_run, other_file, tmp_path_factory):
    output = tmp_path_factory.mktemp("embedded") / "emb.h5"
    return embed_file(finished_run.path, other_file, output), output


def test_rows_and_labels_are_those_of_the_pair_file(written, other_file):
    _, output = written
    with PairFile(other_file) as pairs, h5py.File(output) as file:
        assert json.loads(file["views"].attrs["order"]) == pairs.view_names == list(file["views"])
        assert json.loads(file["hard_scatter"].attrs["labels"]) == pairs.labels
        assert json.loads(file["hard_scatter"].attrs["sources"]) == pairs.source_hashes
        for name in ("event", "source", "label", "weight"):
            np.testing.assert_array_equal(file[f"hard_scatter/{name}"][:], pairs.hard_scatter(name))
        for view in pairs.view_names:
            valid = file[f"views/{view}/valid"][:]
            np.testing.assert_array_equal(valid, pairs.valid(view))
            embedding = file[f"views/{view}/embedding"]
            assert (embedding.dtype, embedding.shape) == (np.float32, (90, 16))
            np.testing.assert_array_equal(np.isnan(embedding[:]).any(1), ~valid)


def test_vectors_are_those_of_the_encoder_one_jet_at_a_time(written, other_file, finished_run):
    _, output = written
    loaded, table = load_encoder(finished_run.best), load_pairs([other_file])
    with h5py.File(output) as file, torch.inference_mode():
        for view, row in np.argwhere(table.rows.valid)[::17]:
            jets = to_tensors(gather_jets(table, np.array([view]), np.array([row])), loaded.card.data.feature_set)
            wanted = loaded.encoder(*jets).jet[0].numpy()
            np.testing.assert_allclose(file[f"views/{table.rows.views[view]}/embedding"][row], wanted, atol=1e-5)


def test_blocks_change_nothing(written, finished_run, other_file, tmp_path, monkeypatch):
    """Bounded memory: only rows of one block of one view are ever read."""
    read = []

    def watched(file, views, start, stop, columns):
        read.append((len(views), stop - start, columns))
        return read_jets(file, views, start, stop, columns)

    monkeypatch.setattr(module, "ROWS_AT_ONCE", 7)
    monkeypatch.setattr(module, "read_jets", watched)
    embed_file(finished_run.path, other_file, tmp_path / "emb.h5")
    assert len(read) == 2 * 13
    assert all(views == 1 and rows <= 7 for views, rows, _ in read)
    assert {columns for _, _, columns in read} == {("charge", "pdg_id")}
    with h5py.File(tmp_path / "emb.h5") as small, h5py.File(written[1]) as large:
        for view in small["views"]:
            for name in ("embedding", "valid"):
                np.testing.assert_allclose(small[f"views/{view}/{name}"], large[f"views/{view}/{name}"], atol=1e-5)


def test_provenance(written, finished_run, other_file):
    returned, output = written
    with h5py.File(output) as file:
        assert file.attrs["schema"] == "jetssl.embeddings"
        provenance = EmbeddingProvenance.model_validate_json(file.attrs["provenance"])
        valid = sum(file[f"views/{view}/valid"][:].sum() for view in file["views"])
    assert provenance == returned
    assert (provenance.jets, provenance.width, provenance.epoch) == (valid, 16, load_encoder(finished_run.best).epoch)
    assert provenance.file.path == str(other_file)
    assert provenance.file.views == ("nominal", "pileup")
    assert provenance.trained_on == tuple(file.digest for file in finished_run.load_provenance().files)
    assert provenance.card == finished_run.load_card().model_dump(mode="json")


def test_failure_leaves_nothing(finished_run, other_file, tmp_path, monkeypatch):
    def broken(*_):
        raise RuntimeError("broken")

    monkeypatch.setattr(EmbeddingWriter, "write", broken)
    with pytest.raises(RuntimeError, match="broken"):
        embed_file(finished_run.path, other_file, tmp_path / "emb.h5")
    assert not list(tmp_path.iterdir())


def test_vectors_that_are_not_finite_name_file_and_row(finished_run, other_file, tmp_path, monkeypatch):
    def infinite(encoder, table, view, row, features):
        vectors = np.zeros((len(row), 16), np.float32)
        vectors[row == 4] = np.inf
        return vectors

    monkeypatch.setattr(module, "embed", infinite)
    with PairFile(other_file) as pairs:
        first = next(view for view in pairs.view_names if pairs.valid(view)[4])
    with pytest.raises(InputError, match=rf"pairs\.h5: .* row 4 of view '{first}'"):
        embed_file(finished_run.path, other_file, tmp_path / "emb.h5")
    assert not list(tmp_path.iterdir())


def test_too_little_space_is_said_beforehand(finished_run, other_file, tmp_path, monkeypatch):
    """2 views of 90 rows with 16 numbers of 4 bytes are 11520 bytes."""
    for free, fits in ((11519, False), (11520, True)):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: shutil._ntuple_diskusage(free, 0, free))
        with nullcontext() if fits else pytest.raises(InputError, match=r"emb\.h5: 0 MB of vectors, but 0 MB free"):
            embed_file(finished_run.path, other_file, tmp_path / "emb.h5")
        assert (tmp_path / "emb.h5").exists() == fits


def test_disk_that_fills_up_is_one_line_and_leaves_nothing(finished_run, other_file, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(EmbeddingWriter, "write", full)
    with pytest.raises(InputError, match=r"emb\.h5: cannot be written \(.*No space left.*make room"):
        embed_file(finished_run.path, other_file, tmp_path / "emb.h5")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("limit", [2000, 20_000])
def test_full_disk_ends_the_program_with_one_line(finished_run, other_file, tmp_path, limit):
    """HDF5 left alone with a failed write takes the interpreter down at its exit. The file would have 30 kB."""
    script = (
        "import resource, sys; from jetssl import cli; import jetssl.evaluation.embed;"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit})); cli.main()"
    )
    output = tmp_path / "emb.h5"
    done = run_program(script, "embed", finished_run.path, other_file, "-o", output, "--quiet")
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"jetssl: {output}: cannot be written (")
    assert "File too large" in line
    assert not list(tmp_path.iterdir())


def test_vectors_do_not_depend_on_threads(finished_run):
    """Each batch belongs to one thread; torch has its threads back afterwards."""
    loaded, table = load_encoder(finished_run.best), load_pairs([finished_run.load_card().data.files[0]])
    view, row = np.argwhere(table.rows.valid).T
    assert len(row) > 2 * BATCH_SIZE
    vectors = []
    for threads in (1, 3):
        with torch_threads(threads):
            vectors.append(embed(loaded.encoder, table, view, row, loaded.card.data.feature_set))
            assert torch.get_num_threads() == threads
    np.testing.assert_array_equal(*vectors)


def test_progress_counts_jets(finished_run, other_file, tmp_path, capfd, caplog):
    caplog.set_level("INFO", "resim.common.progress")
    written = embed_file(finished_run.path, other_file, tmp_path / "emb.h5")
    (line,) = caplog.messages
    assert line.startswith(f"embed: {written.jets}/{written.jets} jets, ")
    assert re.search(r", \d+\.\d jets/s, ", line)
    caplog.clear()
    embed_file(finished_run.path, other_file, tmp_path / "emb.h5", quiet=True)
    assert not caplog.messages


@pytest.mark.slow
def test_command(finished_run, other_file, tmp_path):
    output = tmp_path / "emb.h5"
    done = run_jetssl("embed", finished_run.path, other_file, "-o", output, "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{output}: ")
    assert "16 numbers each" in done.stdout
    assert list(tmp_path.iterdir()) == [output]
