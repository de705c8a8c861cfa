"""The embedding file: jet vectors by view and row, in the row order of the pair file they come from.

HDF5. `views/<name>/embedding` is float32 `(R, D)`, NaN where `views/<name>/valid` is False; `hard_scatter/` holds the
columns of the pair file that identify a row, with class names and LHE hashes as JSON attributes `labels` and
`sources`; the root has `schema`, `schema_version` and `provenance` (`EmbeddingProvenance` as JSON).

Letters: R rows, B rows of a block, D model width.
"""

import json
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import numpy as np
from pydantic import BaseModel, ConfigDict

from jetssl.training.provenance import DataFile
from resim.common.arrays import Booleans, Floats32
from resim.common.errors import InputError
from resim.common.hdf5_output import Hdf5Output
from resim.pairfile import schema
from resim.pairfile.reader import PairFile

SCHEMA: Final = "jetssl.embeddings"
SCHEMA_VERSION: Final = 1
_ROWS_PER_HDF5_CHUNK: Final = 4096


class EmbeddingProvenance(BaseModel):
    """Where the vectors come from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: str
    """folder of the run"""
    checkpoint: str
    """SHA-256 of the checkpoint file"""
    epoch: int
    """epochs of training behind it"""
    card: dict[str, object]
    """training card with every default filled in"""
    trained_on: tuple[str, ...]
    """digests of the pair files that the encoder was trained on"""
    file: DataFile
    """the pair file whose jets these are"""
    width: int
    """D"""
    jets: int
    """valid jets of all views"""
    versions: dict[str, str]
    commit: str | None
    dirty: bool | None
    created: str
    """UTC, ISO 8601"""
    seconds: float
    """wall time of reading, encoding and writing"""


class EmbeddingWriter(Hdf5Output):
    """An embedding file that is written block by block, and is there when `finish` has been called.

    Args:
        path: the file to be.
        pairs: the pair file; its row columns are copied.
        width: D.

    Raises:
        InputError: the disk has too little space, or the file cannot be created.
    """

    def __init__(self, path: Path, pairs: PairFile, width: int) -> None:
        _refuse_full_disk(path, len(pairs) * len(pairs.view_names) * width * np.dtype("<f4").itemsize)
        super().__init__(path)
        with ExitStack() as undo:
            undo.push(self)
            self._copy_rows(pairs)
            self._create_views(pairs, width)
            undo.pop_all()

    def _copy_rows(self, pairs: PairFile) -> None:
        self.file.attrs.update({"schema": SCHEMA, "schema_version": SCHEMA_VERSION})
        for column in schema.HARD_SCATTER:
            dataset = self.file.create_dataset(
                f"hard_scatter/{column.name}", data=pairs.hard_scatter(column.name), compression="gzip"
            )
            dataset.attrs.update({"unit": column.unit, "doc": column.doc})
        names = {"labels": json.dumps(pairs.labels), "sources": json.dumps(pairs.source_hashes)}
        self.file["hard_scatter"].attrs.update(names)

    def _create_views(self, pairs: PairFile, width: int) -> None:
        self.file.create_group("views").attrs["order"] = json.dumps(pairs.view_names)
        rows = len(pairs)
        chunk = max(1, min(rows, _ROWS_PER_HDF5_CHUNK))
        for view in pairs.view_names:
            group = self.file.create_group(f"views/{view}")
            # Not compressed: the low bits of floats are noise.
            group.create_dataset("embedding", (rows, width), "<f4", chunks=(chunk, width), fillvalue=np.nan)
            group.create_dataset("valid", data=pairs.valid(view), compression="gzip")

    def write(self, view: str, start: int, valid: Booleans, vectors: Floats32) -> None:
        """The vectors of rows `start:start + B` of a view.

        Args:
            view: its name.
            start: first row.
            valid: bool `(B,)`.
            vectors: float32 `(valid.sum(), D)`.

        Raises:
            OSError: this, or something before it, could not be written; leaving the context makes one line of it.
        """
        block = np.full((len(valid), vectors.shape[1]), np.nan, np.float32)
        block[valid] = vectors
        self.file[f"views/{view}/embedding"][start : start + len(valid)] = block
        self.check()

    def finish(self, provenance: EmbeddingProvenance) -> None:
        """Write the provenance and give the file its final name.

        Raises:
            OSError: something could not be written; leaving the context makes one line of it.
        """
        self.file.attrs["provenance"] = provenance.model_dump_json()
        self.complete()


def _refuse_full_disk(path: Path, size: int) -> None:
    """Beforehand, not after an hour."""
    free = shutil.disk_usage(path.absolute().parent).free
    if free < size:
        raise InputError(
            f"{path}: {size / 1e6:.0f} MB of vectors, but {free / 1e6:.0f} MB free; free space or choose another -o"
        )
