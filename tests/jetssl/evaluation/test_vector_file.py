"""Vectors of other programs: the same in every format, and whatever is wrong with them is one line."""

import json
from dataclasses import replace

import h5py
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from jetssl.data.rows import concatenate_rows
from jetssl.evaluation.vector_file import read_vectors, vectors_of_rows
from resim.common.errors import InputError


@pytest.fixture
def columns(table, rng):
    """Vectors of all jets of the root view, rows shuffled, in the keys of `jetssl embed`."""
    rows = table.rows
    order = rng.permutation(rows.n_rows)
    vectors = rng.normal(size=(rows.n_rows, 3)).astype(np.float32)
    vectors[~rows.valid[0]] = np.nan
    return {
        "hard_scatter/source": rows.source[order],
        "hard_scatter/event": rows.event[order],
        "hard_scatter/parton_eta": rows.parton_eta[order],
        "hard_scatter/sources": np.array(rows.sources),
        "views/nominal/embedding": vectors[order],
        "views/nominal/valid": rows.valid[0][order],
    }


def as_npz(path, columns):
    np.savez(path, **columns)


def as_hdf5(path, columns):
    with h5py.File(path, "w") as file:
        for name, values in columns.items():
            if name != "hard_scatter/sources":
                file[name] = values
        file["hard_scatter"].attrs["sources"] = json.dumps(columns["hard_scatter/sources"].tolist())


def as_parquet(path, columns):
    arrays = {
        name: pa.array(list(values)) if values.ndim > 1 else pa.array(values)
        for name, values in columns.items()
        if name != "hard_scatter/sources"
    }
    sources = json.dumps(columns["hard_scatter/sources"].tolist())
    parquet.write_table(pa.table(arrays).replace_schema_metadata({"sources": sources}), path)


FORMATS = {"npz": as_npz, "h5": as_hdf5, "hdf5": as_hdf5, "parquet": as_parquet}


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


def test_foreign_files(table, columns, tmp_path):
    for suffix in FORMATS:
        (tmp_path / f"text.{suffix}").write_text("dear")
    np.savez(tmp_path / "pickled.npz", **{"hard_scatter/event": np.array([{}], object)})
    np.savez_compressed(tmp_path / "bomb.npz", **{"views/nominal/embedding": np.zeros((200_000, 200), np.float32)})
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
        ("bomb.npz", "would inflate to 160,000,"),
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
