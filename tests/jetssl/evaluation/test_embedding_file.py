"""Embedding files, written block by block."""

import h5py
import numpy as np
import pytest

from jetssl.evaluation import embedding_file
from jetssl.evaluation.embedding_file import EmbeddingWriter
from resim.common.errors import InputError
from resim.pairfile.mock import write_mock
from resim.pairfile.reader import PairFile


@pytest.fixture
def pairs(tmp_path):
    with PairFile(write_mock(tmp_path / "pairs.h5", 20)) as file:
        yield file


class Provenance:
    def model_dump_json(self):
        return "{}"


def test_blocks_are_where_they_belong_and_invalid_rows_are_nan(tmp_path, pairs):
    valid = pairs.valid("seed")
    vectors = np.arange(3 * valid.sum(), dtype=np.float32).reshape(-1, 3)
    with EmbeddingWriter(tmp_path / "e.h5", pairs, 3) as writer:
        for start, stop in ((0, 8), (8, 20)):
            inside = slice(valid[:start].sum(), valid[:stop].sum())
            writer.write("seed", start, valid[start:stop], vectors[inside])
        writer.finish(Provenance())
    with h5py.File(tmp_path / "e.h5") as file:
        found = file["views/seed/embedding"][:]
        assert np.array_equal(found[valid], vectors)
        assert np.isnan(found[~valid]).all()
        assert np.isnan(file["views/nominal/embedding"][:]).all()  # nothing was written there
        assert np.array_equal(file["hard_scatter/event"][:], pairs.hard_scatter("event"))


def test_without_finish_there_is_no_file(tmp_path, pairs):
    with EmbeddingWriter(tmp_path / "e.h5", pairs, 3):
        pass
    assert not list(tmp_path.glob("*e.h5*"))


def test_too_little_space_is_said_beforehand(tmp_path, pairs, monkeypatch):
    usage = embedding_file.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(embedding_file.shutil, "disk_usage", lambda _: usage._replace(free=100))
    with pytest.raises(InputError, match=r"MB of vectors, but 0 MB free"):
        EmbeddingWriter(tmp_path / "e.h5", pairs, 1000)
    assert not list(tmp_path.glob("*e.h5*"))
