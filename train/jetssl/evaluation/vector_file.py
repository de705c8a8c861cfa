"""Files of jet vectors that another program computed, and where their rows are among those of pair files.

Keys are those that `jetssl embed` writes. `.h5` and `.hdf5` are HDF5, `.npz` is NumPy's archive with an array for
each key, `.parquet` has a column for each.

Letters: N rows of the file, R rows of the pair files, D width of the vectors.
"""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from jetssl.data.rows import Rows
from resim.common.arrays import Booleans, Floats32, Integers
from resim.common.errors import InputError, reason_of
from resim.common.hdf5_input import Hdf5Input
from resim.common.limits import INFLATION, INFLATION_FREE

Columns = Mapping[str, npt.NDArray[Any]]

SOURCE: Final = "hard_scatter/source"
EVENT: Final = "hard_scatter/event"
PARTON: Final = "hard_scatter/parton_eta"
IDENTITY: Final = {SOURCE: "iuU", EVENT: "iu", PARTON: "f"}
"""What tells a row from all others, LHE file, event in it and parton, with the kinds of NumPy's types."""
SOURCES: Final = "hard_scatter/sources"
"""SHA-256 of the LHE files; in HDF5 the JSON attribute `sources` of the group, in parquet that of the schema."""
_REMEDY: Final = "want a file with the keys that `jetssl embed` writes"


@dataclass(frozen=True, slots=True)
class VectorFile:
    """Vectors of one view, and which rows they are of."""

    path: Path
    source: npt.NDArray[np.str_]
    """`(N,)`, SHA-256 of the LHE file"""
    event: Integers
    """int64 `(N,)`, index of the event in it"""
    parton_eta: Floats32
    """float32 `(N,)`, of the hard parton"""
    vectors: Floats32
    """float32 `(N, D)`"""
    present: Booleans
    """bool `(N,)`, rows that have a vector"""


def read_vectors(path: Path, view: str) -> VectorFile:
    """Read the vectors of a view.

    Raises:
        InputError: the file is unreadable, of another kind, too large, or a key is missing or misshapen.
    """
    reader = _READERS.get(path.suffix)
    if reader is None:
        raise InputError(f"{path}: ends with {path.suffix!r}, want one of {', '.join(_READERS)}")
    if not path.is_file():
        raise InputError(f"{path}: no such file; {_REMEDY}")
    vectors, valid = f"views/{view}/embedding", f"views/{view}/valid"
    try:
        columns = reader(path, (*IDENTITY, SOURCES, vectors, valid))
    except (InputError, ImportError):
        raise
    except Exception as error:  # on damaged bytes NumPy, zipfile and Arrow raise anything
        raise InputError(f"{path}: cannot be read ({reason_of(error)}); {_REMEDY}") from error
    for name in (*IDENTITY, vectors):
        if name not in columns:
            raise InputError(f"{path}: misses {name}; {_REMEDY}")
    return _checked(path, columns, vectors, valid)


def _checked(path: Path, columns: Columns, vectors: str, valid: str) -> VectorFile:
    n_rows = len(columns[EVENT]) if columns[EVENT].ndim else -1
    present = columns.get(valid, np.ones(max(n_rows, 0), np.bool_))
    given = {**columns, valid: present}
    for name, (axes, kinds) in (
        *((name, (1, kinds)) for name, kinds in IDENTITY.items()),
        (vectors, (2, "f")),
        (valid, (1, "b")),
    ):
        values = given[name]
        if values.ndim != axes or len(values) != n_rows or values.dtype.kind not in kinds:
            raise InputError(
                f"{path}: {name} is {values.dtype} of shape {values.shape}, want {axes} axes, {n_rows} rows and"
                f" a type of kind {kinds}; {_REMEDY}"
            )
    with np.errstate(over="ignore"):  # infinite in single precision: refused as such
        return VectorFile(
            path,
            _source_names(path, columns),
            columns[EVENT].astype(np.int64),
            columns[PARTON].astype(np.float32),
            columns[vectors].astype(np.float32),
            present,
        )


def _source_names(path: Path, columns: Columns) -> npt.NDArray[np.str_]:
    source = columns[SOURCE]
    if source.dtype.kind == "U":
        return source
    names = columns.get(SOURCES, np.array([], np.str_))
    if names.ndim != 1 or names.dtype.kind != "U":
        raise InputError(f"{path}: {SOURCES} is {names.dtype} of shape {names.shape}, want names; {_REMEDY}")
    if len(source) and not 0 <= source.min() <= source.max() < len(names):
        raise InputError(f"{path}: {SOURCE} points beyond {len(names)} sources; {_REMEDY}")
    return np.asarray(names[source])


def vectors_of_rows(file: VectorFile, rows: Rows, view: int) -> tuple[Floats32, Booleans]:
    """The vectors in the order of the rows of pair files.

    Args:
        file: vectors of the view.
        rows: of the pair files.
        view: its index among their views.

    Returns:
        float32 `(R, D)`, 0 where there is none, and bool `(R,)`, which rows have one.

    Raises:
        InputError: a row of the file occurs twice, or is of other sources or none of the pair files', or a vector of
            a jet is not finite.
    """
    place = _places(file, rows)
    used = file.present & rows.valid[view][place]
    bad = np.flatnonzero(used & ~np.isfinite(file.vectors).all(1))
    if len(bad):
        raise InputError(f"{_row(file, bad[0])} has a jet and a vector that is not finite; leave the row out")
    filled = np.zeros((rows.n_rows, file.vectors.shape[1]), np.float32)
    filled[place[used]] = file.vectors[used]
    has = np.zeros(rows.n_rows, np.bool_)
    has[place[used]] = True
    return filled, has


def _places(file: VectorFile, rows: Rows) -> Integers:
    """Index of each row of the file among those of the pair files, int64 `(N,)`."""
    if not np.isin(file.source, rows.sources).any():
        found = ", ".join(name[:12] for name in dict.fromkeys(file.source.tolist()))
        raise InputError(f"{file.path}: vectors of other LHE files ({found:.60}) than the pair files'; check --data")
    number = {name: index for index, name in enumerate(rows.sources)}
    source = np.array([number.get(name, -1) for name in file.source.tolist()], np.int64)
    ours = _keys(rows.source, rows.event, rows.parton_eta.astype(np.float32))
    keys = np.concatenate([ours, _keys(source, file.event, file.parton_eta)])
    _, key = np.unique(keys, axis=0, return_inverse=True)
    first = np.full(key.max() + 1, -1)
    first[key[: rows.n_rows]] = np.arange(rows.n_rows)
    of_file = key[rows.n_rows :]
    place = first[of_file]
    if len(unknown := np.flatnonzero(place < 0)):
        raise InputError(f"{_row(file, unknown[0])} is not in the pair files; check --data")
    _, again = np.unique(of_file, return_index=True)
    if len(again) < len(of_file):
        twice = np.setdiff1d(np.arange(len(of_file)), again)[0]
        raise InputError(f"{_row(file, twice)} occurs twice; leave one out")
    return np.asarray(place, np.int64)


def _keys(source: Integers, event: Integers, parton_eta: Floats32) -> Integers:
    """Of each row, as int64 `(rows, 3)`."""
    return np.stack([source, event, (parton_eta + 0).view(np.int32)], axis=1).astype(np.int64)


def _row(file: VectorFile, row: int) -> str:
    return f"{file.path}: row {row} (event {file.event[row]} of {file.source[row][:12]})"


def _read_hdf5(path: Path, names: tuple[str, ...]) -> Columns:
    with Hdf5Input(path, _REMEDY) as file:
        columns = {name: file.read(name) for name in names if name in file.datasets}
        if (sources := file.attribute("sources", "hard_scatter")) is not None:
            columns[SOURCES] = np.array(json.loads(sources), np.str_)
        return columns


def _read_npz(path: Path, names: tuple[str, ...]) -> Columns:
    with zipfile.ZipFile(path) as archive:
        _refuse_bomb(path, sum(entry.file_size for entry in archive.infolist()))
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in names if name in arrays}


def _read_parquet(path: Path, names: tuple[str, ...]) -> Columns:
    from pyarrow import parquet

    file = parquet.ParquetFile(path)
    groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
    _refuse_bomb(path, sum(group.total_byte_size for group in groups))
    table = file.read([name for name in names if name in file.schema_arrow.names])
    columns = dict(zip(table.column_names, map(_array, table.columns), strict=True))
    if sources := (file.schema_arrow.metadata or {}).get(b"sources"):
        columns[SOURCES] = np.array(json.loads(sources), np.str_)
    return columns


def _array(column: Any) -> npt.NDArray[Any]:
    """A column as `(N,)`, or lists of equal length as `(N, D)`."""
    import pyarrow as pa
    from pyarrow import compute

    if not pa.types.is_nested(column.type):
        values = column.to_numpy()
        return np.asarray(values.astype(np.str_) if values.dtype == object else values)
    if len(compute.unique(compute.list_value_length(column))) > 1:
        raise ValueError("lists of different lengths")
    return np.asarray(compute.list_flatten(column).to_numpy().reshape(len(column), -1))


def _refuse_bomb(path: Path, in_memory: int) -> None:
    size = path.stat().st_size
    if in_memory > INFLATION_FREE + INFLATION * size:
        raise InputError(f"{path}: {size:,} bytes would inflate to {in_memory:,}, over {INFLATION} times as many")


_READERS: Final = {".h5": _read_hdf5, ".hdf5": _read_hdf5, ".npz": _read_npz, ".parquet": _read_parquet}
