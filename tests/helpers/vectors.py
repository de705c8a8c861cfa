"""Files of vectors, in the keys of `jetssl embed`, in every format that is read."""

import json

import h5py
import numpy as np
import pyarrow as pa
from pyarrow import parquet


def vector_columns(rows, rng):
    """Vectors of all jets of the root view, rows shuffled."""
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
