"""Jet vectors of a run, computed once for each checkpoint, pair file and view, and kept in the run's folder.

A file is named by a hash of what its vectors depend on, so those of another checkpoint or of changed data are never
read. It is a sealed `.npy` file (`jetssl.common.sealed`).

Letters: R rows, D model width.
"""

import hashlib
import logging
from pathlib import Path

import numpy as np

from jetssl.common.sealed import BrokenSealError, read_array, write_array
from jetssl.data.rows import FileRecord
from jetssl.data.table import PairTable
from jetssl.evaluation.embedding import embed
from jetssl.models.checkpoints import LoadedEncoder
from jetssl.training.run_folder import RunFolder
from resim.common.arrays import Floats32
from resim.common.errors import InputError
from resim.common.versions import resim_version

log = logging.getLogger(__name__)


def checkpoint_digest(run: RunFolder) -> str:
    """SHA-256 of the checkpoint that is evaluated."""
    with run.best.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def run_vectors(run: RunFolder, loaded: LoadedEncoder, table: PairTable, view: int) -> Floats32:
    """Jet vectors of all rows in a view, from the run's folder where they are there.

    Args:
        run: whose folder keeps them; where it cannot be written, nothing is kept.
        loaded: the encoder of its best checkpoint.
        table: the loaded pair files.
        view: index of the view.

    Returns:
        float32 `(R, D)`; 0 for rows without a jet in the view.
    """
    checkpoint, start = checkpoint_digest(run), 0
    of_files = []
    for file in table.rows.files:
        rows = range(start, start + file.rows)
        of_files.append(_of_file(_entry(run, checkpoint, file, table.rows.views[view]), loaded, table, view, rows))
        start += file.rows
    return np.concatenate(of_files)


def _of_file(entry: Path, loaded: LoadedEncoder, table: PairTable, view: int, rows: range) -> Floats32:
    kept = _read(entry, (len(rows), loaded.encoder.width))
    if kept is not None:
        return kept
    vectors = np.zeros((len(rows), loaded.encoder.width), np.float32)
    valid = np.flatnonzero(table.rows.valid[view, rows.start : rows.stop])
    of_view = np.full(len(valid), view)
    vectors[valid] = embed(loaded.encoder, table, of_view, valid + rows.start, loaded.card.data.feature_set)
    try:
        write_array(entry, vectors)
    except InputError as error:
        log.warning("vectors are not kept: %s", error)
    return vectors


def _entry(run: RunFolder, checkpoint: str, file: FileRecord, view: str) -> Path:
    key = "\n".join((checkpoint, file.digest, view, resim_version()))
    return run.embeddings / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.vectors"


def _read(entry: Path, shape: tuple[int, int]) -> Floats32 | None:
    try:
        vectors = read_array(entry)
    except BrokenSealError:
        log.warning("%s: damaged; the vectors are computed again", entry)
        return None
    except OSError:
        return None
    return vectors if vectors.shape == shape and vectors.dtype == np.float32 else None
