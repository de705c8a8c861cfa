"""Mutants of what other programs wrote: weights and vectors."""

from pathlib import Path

import pytest

from jetssl.data.rows import rows_of
from jetssl.evaluation.vector_file import read_vectors, vectors_of_rows
from jetssl.exchange.weaver_import import import_weaver
from jetssl.training.run_folder import RunFolder
from resim.pairfile.mock import write_mock
from tests.helpers.mutants import Kind
from tests.helpers.vectors import FORMATS, vector_columns
from tests.helpers.weaver import Bench

pytestmark = [pytest.mark.mutants, pytest.mark.slow]


def test_weights_of_weaver(tmp_path):
    bench, run = Bench(tmp_path), RunFolder(tmp_path / "run")

    def imported(path: Path) -> None:
        import_weaver(bench.ask(path, "particlenet"), run, force=run.card.is_file())

    sound = bench.save(bench.network("particlenet")).read_bytes()
    assert Kind("weaver weights", ".pt", (imported,)).try_all([sound], tmp_path)[1]


@pytest.mark.parametrize("suffix", ["npz", "h5", "parquet"])
def test_vectors(suffix, tmp_path, rng):
    rows = rows_of([write_mock(tmp_path / "pairs.h5", 20)])
    FORMATS[suffix](tmp_path / f"sound.{suffix}", vector_columns(rows, rng))

    def placed(path: Path) -> None:
        vectors_of_rows(read_vectors(path, "nominal"), rows, 0)

    sound = (tmp_path / f"sound.{suffix}").read_bytes()
    assert Kind(f"vectors {suffix}", f".{suffix}", (placed,)).try_all([sound], tmp_path)[1]
