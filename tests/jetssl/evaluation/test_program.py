"""`jetssl probe` with vectors of other programs; the rest of it is tested by the command line in test_cli."""

import logging
import shutil

import h5py
import numpy as np
import pytest

from jetssl.config.evaluation import CompareCard, ProbeCard
from jetssl.evaluation.compare import compare
from jetssl.evaluation.embed import embed_file
from jetssl.evaluation.program import ProbeRequest, probe_run
from jetssl.evaluation.results import read_results
from jetssl.evaluation.table import table_rows
from jetssl.report.page import write_report
from resim.common.errors import InputError


@pytest.fixture
def run(finished_run, tmp_path):
    shutil.copytree(finished_run.path, tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def own_vectors(run, mock_file, tmp_path):
    """What `jetssl embed` writes of this very run."""
    embed_file(run, mock_file, tmp_path / "own.h5", quiet=True)
    return tmp_path / "own.h5"


def probed(run, *embedding):
    card = ProbeCard(classes="two_prong,one_prong", labels=(20,), baseline=(), embedding=embedding)
    return probe_run(ProbeRequest(run, card))


@pytest.mark.slow
def test_the_round_trip_is_exact(run, own_vectors, tmp_path):
    results = probed(run, own_vectors)
    assert read_results(run / "results.json") == results
    by_input = {(one.baseline, one.metric): one for one in results}
    for metric in ("auc", "rejection_at_0.5"):
        assert by_input["vectors:own", metric].value == by_input[None, metric].value
    difference = by_input[None, "auc_minus_vectors:own"]
    assert (difference.value, difference.error) == (0, 0)
    assert by_input["vectors:own", "auc"].encoder is None
    assert {row[1] for row in table_rows(results)} == {"pre-trained", "own"}
    assert set(compare([run], CompareCard()).cells) == {"run", "run:vectors:own"}
    write_report([run], tmp_path / "report.html")


@pytest.mark.slow
def test_all_are_judged_on_the_rows_that_all_have(run, own_vectors, task, caplog):
    """Half of the rows, and nothing of this run's in them: as any other program's vectors."""
    with h5py.File(own_vectors, "r+") as file:
        valid = file["views/nominal/valid"]
        half = len(valid) // 2
        valid[:half] = False
        file["views/nominal/embedding"][:] = np.random.default_rng(1).normal(
            size=file["views/nominal/embedding"].shape
        )
    with caplog.at_level(logging.WARNING):
        results = probed(run, own_vectors)
    assert "rows; all are judged on the others" in caplog.text
    (size,) = {one.n_test for one in results}
    assert size == (task.test >= half).sum() < len(task.test)
    (test_set,) = {one.test_set for one in results}
    assert test_set != task.test_set


def test_two_files_of_one_name_could_not_be_told_apart(run, own_vectors, tmp_path):
    (tmp_path / "other").mkdir()
    shutil.copy(own_vectors, tmp_path / "other/own.h5")
    with pytest.raises(InputError, match="two files of vectors are called 'own'; rename one"):
        probed(run, own_vectors, tmp_path / "other/own.h5")
