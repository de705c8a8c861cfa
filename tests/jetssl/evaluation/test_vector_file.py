"""Vectors of other programs: the same in every format, and whatever is wrong with them is one line."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from jetssl.data.rows import concatenate_rows
from jetssl.evaluation import vector_file
from jetssl.evaluation.vector_file import read_vectors, vectors_of_rows
from resim.common.errors import InputError
from tests.helpers.vectors import FORMATS, as_npz, vector_columns


@pytest.fixture
def columns(table, rng):
    return vector_columns(table.rows, rng)


def placed(path, table):
    return vectors_of_rows(read_vectors(path, "nominal"), table.rows, 0)


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_vector_is_where_its_row_is(suffix, columns, table, tmp_path):
    path = tmp_path / f"vectors.{suffix}"
    FORMATS[suffix](path, columns)
    found, has = placed(path, table)
    rows = table.rows
    assert np.array_equal(has, rows.valid[0])
    keys = zip(columns["hard_scatter/event"].tolist(), columns["hard_scatter/parton_eta"].tolist(), strict=True)
    wanted = dict(zip(keys, columns["views/nominal/embedding"], strict=True))
    for row in np.flatnonzero(has):
        assert np.array_equal(found[row], wanted[rows.event[row], rows.parton_eta[row]])
    assert not found[~has].any()


def test_sources_may_stand_by_name_and_rows_may_lack_vectors(columns, table, tmp_path):
    names = columns.pop("hard_scatter/sources")
    columns["hard_scatter/source"] = names[columns["hard_scatter/source"]]
    few = {name: values[:50] for name, values in columns.items()}
    few["views/nominal/valid"] = few["views/nominal/valid"] & (np.arange(50) > 4)
    as_npz(tmp_path / "few.npz", few)
    _, has = placed(tmp_path / "few.npz", table)
    assert has.sum() == few["views/nominal/valid"].sum() < 50
    one = {name: values[:1] for name, values in columns.items() if "valid" not in name}
    as_npz(tmp_path / "one.npz", one)
    assert placed(tmp_path / "one.npz", table)[1].sum() == columns["views/nominal/valid"][0]


def a_row_twice(columns):
    columns["hard_scatter/event"][7] = columns["hard_scatter/event"][3]
    columns["hard_scatter/parton_eta"][7] = columns["hard_scatter/parton_eta"][3]


def an_unknown_row(columns):
    columns["hard_scatter/event"][7] = 10**6


def other_sources(columns):
    columns["hard_scatter/sources"] = np.array(["f" * 64])


def a_nan(columns):
    row = np.flatnonzero(columns["views/nominal/valid"])[5]
    columns["views/nominal/embedding"][row, 1] = np.nan


def no_such_source(columns):
    columns["hard_scatter/source"][2] = 5


def sources_by_number(columns):
    columns["hard_scatter/sources"] = np.arange(3)


def beyond_single_precision(columns):
    columns["views/nominal/embedding"] = columns["views/nominal/embedding"].astype(np.float64)
    columns["views/nominal/embedding"][columns["views/nominal/valid"]] = 1e300


def fewer_vectors(columns):
    columns["views/nominal/embedding"] = columns["views/nominal/embedding"][:-1]


def numbers_instead_of_vectors(columns):
    columns["views/nominal/embedding"] = columns["views/nominal/embedding"][:, 0]


def another_view(columns):
    columns["views/seed/embedding"] = columns.pop("views/nominal/embedding")


def events_by_name(columns):
    columns["hard_scatter/event"] = columns["hard_scatter/event"].astype(str)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (a_row_twice, r"row 7 \(event \d+ of [0-9a-f]{12}\) occurs twice"),
        (an_unknown_row, r"row 7 \(event 1000000 of [0-9a-f]{12}\) is not in the pair files"),
        (other_sources, r"vectors of other LHE files \(ffffffffffff\)"),
        (a_nan, r"has a jet and a vector that is not finite"),
        (no_such_source, "points beyond 1 sources"),
        (sources_by_number, r"hard_scatter/sources is int64 of shape \(3,\), want names"),
        (beyond_single_precision, "not finite"),
        (fewer_vectors, r"views/nominal/embedding is float32 of shape \(\d+, 3\), want 2 axes, \d+ rows"),
        (numbers_instead_of_vectors, "want 2 axes"),
        (another_view, "misses views/nominal/embedding; want a file with the keys that `jetssl embed` writes"),
        (events_by_name, "hard_scatter/event is <U"),
    ],
)
def test_what_is_wrong_is_one_line(damage, message, columns, table, tmp_path):
    damage(columns)
    as_npz(tmp_path / "vectors.npz", columns)
    with pytest.raises(InputError, match=message):
        placed(tmp_path / "vectors.npz", table)


def test_foreign_files(columns, tmp_path, monkeypatch):
    monkeypatch.setattr(vector_file, "INFLATION_FREE", 1000)
    for suffix in FORMATS:
        (tmp_path / f"text.{suffix}").write_text("dear")
    np.savez(tmp_path / "pickled.npz", **{"hard_scatter/event": np.array([{}], object)})
    np.savez_compressed(tmp_path / "bomb.npz", **{"views/nominal/embedding": np.zeros((2_000, 200), np.float32)})
    ragged = {name: pa.array(values[:2]) for name, values in columns.items() if values.ndim == 1}
    del ragged["hard_scatter/sources"]
    parquet.write_table(
        pa.table(ragged | {"views/nominal/embedding": pa.array([[1.0], [2.0, 3.0]])}), tmp_path / "ragged.parquet"
    )
    for name, message in (
        *((f"text.{suffix}", "read") for suffix in FORMATS),
        ("none.npz", "no such file"),
        ("vectors.csv", r"ends with '\.csv', want one of \.h5, \.hdf5, \.npz, \.parquet"),
        ("pickled.npz", "cannot be read"),
        ("bomb.npz", "would inflate to 1,600,128"),
        ("ragged.parquet", "lists of different lengths"),
    ):
        with pytest.raises(InputError, match=message):
            read_vectors(tmp_path / name, "nominal")


def test_rows_of_several_files(table, columns, tmp_path):
    """Sources are matched by name, not by number."""
    rows = table.rows
    other = replace(rows, sources=("e" * 64,))
    both = concatenate_rows([other, rows])
    as_npz(tmp_path / "vectors.npz", columns)
    _, has = vectors_of_rows(read_vectors(tmp_path / "vectors.npz", "nominal"), both, 0)
    assert not has[: rows.n_rows].any()
    assert np.array_equal(has[rows.n_rows :], rows.valid[0])
