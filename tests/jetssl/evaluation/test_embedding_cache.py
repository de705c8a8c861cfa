import logging
import shutil
from dataclasses import replace

import numpy as np
import pytest

from jetssl.evaluation import embedding_cache as module
from jetssl.evaluation.embedding import embed
from jetssl.evaluation.embedding_cache import run_vectors
from jetssl.models.checkpoints import load_encoder
from jetssl.training.run_folder import RunFolder


@pytest.fixture
def run(finished_run, tmp_path):
    shutil.copytree(finished_run.path, tmp_path / "run", ignore=shutil.ignore_patterns("embeddings"))
    return RunFolder(tmp_path / "run")


@pytest.fixture
def loaded(run):
    return load_encoder(run.best)


@pytest.fixture
def calls(monkeypatch):
    seen = []

    def counted(*arguments):
        seen.append(arguments)
        return embed(*arguments)

    monkeypatch.setattr(module, "embed", counted)
    return seen


def test_computed_once(run, loaded, table, calls):
    first, again = (run_vectors(run, loaded, table, 1) for _ in range(2))
    assert len(calls) == 1
    np.testing.assert_array_equal(first, again)
    valid = np.flatnonzero(table.rows.valid[1])
    expected = embed(loaded.encoder, table, np.ones(len(valid), int), valid, loaded.card.data.features)
    np.testing.assert_array_equal(first[valid], expected)
    assert not first[~table.rows.valid[1]].any()


def test_one_side_of_the_split(run, loaded, table, calls):
    """By itself: its last digits do not depend on whether all rows were asked for before."""
    side = np.flatnonzero(table.rows.identity % 3 == 0)
    alone = run_vectors(run, loaded, table, 1, side)
    whole = run_vectors(run, loaded, table, 1)
    np.testing.assert_array_equal(run_vectors(run, loaded, table, 1, side), alone)
    assert len(calls) == len(list(run.embeddings.iterdir())) == 2
    np.testing.assert_allclose(alone[side], whole[side], rtol=1e-4, atol=1e-5)
    assert not np.delete(alone, side, axis=0).any()
    assert len(calls[0][3]) == table.rows.valid[1, side].sum()


def test_another_view_file_or_checkpoint_is_another_entry(run, loaded, table, calls):
    for view in (0, 1):
        run_vectors(run, loaded, table, view)
    record = replace(table.rows.files[0], digest="other")
    run_vectors(run, loaded, replace(table, rows=replace(table.rows, files=(record,))), 0)
    shutil.copy(run.last, run.best)
    with run.best.open("ab") as stream:
        stream.write(b"more")
    run_vectors(run, loaded, table, 0)
    assert len(calls) == len(list(run.embeddings.iterdir())) == 4


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_a_damaged_file_is_made_again_and_said(  # noqa: PLR0917
    run, loaded, table, calls, caplog, damage
):
    whole = run_vectors(run, loaded, table, 0)
    (entry,) = run.embeddings.iterdir()
    content = bytearray(entry.read_bytes())
    content[-3] ^= 1
    entry.write_bytes({"cut": bytes(content[:-10]), "flipped": bytes(content), "empty": b""}[damage])
    with caplog.at_level(logging.WARNING):
        np.testing.assert_array_equal(run_vectors(run, loaded, table, 0), whole)
    assert f"{entry}: damaged; the vectors are computed again" in caplog.text
    assert len(calls) == 2
    run_vectors(run, loaded, table, 0)
    assert len(calls) == 2


def test_where_nothing_can_be_written_nothing_is_kept(run, loaded, table, calls, caplog):
    run.embeddings.write_text("in the way")
    with caplog.at_level(logging.WARNING):
        run_vectors(run, loaded, table, 0)
    assert "vectors are not kept" in caplog.text
    assert len(calls) == 1


def test_files_one_after_the_other(run, loaded, table, calls):
    """A file of several is found again alone."""
    half = table.rows.n_rows // 2
    record = table.rows.files[0]
    parts = (replace(record, rows=half, digest="a"), replace(record, rows=table.rows.n_rows - half, digest="b"))
    both = run_vectors(run, loaded, replace(table, rows=replace(table.rows, files=parts)), 0)
    whole = run_vectors(run, loaded, table, 0)
    assert len(calls) == 3
    np.testing.assert_allclose(both, whole, rtol=1e-4, atol=1e-5)
