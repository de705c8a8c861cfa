"""Jet vectors of a run, computed once for each checkpoint, pair file and view, and kept in the run's folder.

A file is named by a hash of what its vectors depend on, so those of another checkpoint or of changed data are never
read. It is a sealed `.npy` file (`jetssl.common.sealed`). Which jets share a batch moves the last digit of a vector:
so the rows that were asked for are part of the name, and numbers do not depend on which command came first.

Letters: R rows, N of them in a file and asked for, D model width.
"""

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jetssl.common.sealed import BrokenSealError, read_array, write_array
from jetssl.data.table import PairTable
from jetssl.evaluation.embedding import embed
from jetssl.models.checkpoints import LoadedEncoder
from jetssl.training.run_folder import RunFolder
from resim.common.arrays import Floats32, Integers
from resim.common.errors import InputError
from resim.common.versions import resim_version

log = logging.getLogger(__name__)


def checkpoint_digest(run: RunFolder) -> str:
    """SHA-256 of the checkpoint that is evaluated."""
    with run.best.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def run_vectors(
    run: RunFolder, loaded: LoadedEncoder, table: PairTable, view: int, side: Integers | None = None
) -> Floats32:
    """Jet vectors of rows in a view, from the run's folder where they are there.

    Args:
        run: whose folder keeps them; where it cannot be written, nothing is kept.
        loaded: the encoder of its best checkpoint.
        table: the loaded pair files.
        view: index of the view.
        side: rows of one side of the split, ascending; None for all rows.

    Returns:
        float32 `(R, D)`; 0 for other rows, and for those without a jet in the view.
    """
    checkpoint, name = checkpoint_digest(run), table.rows.views[view]
    vectors = np.zeros((table.rows.n_rows, loaded.encoder.width), np.float32)
    start = 0
    for file in table.rows.files:
        stop = start + file.rows
        rows = np.arange(start, stop) if side is None else side[(side >= start) & (side < stop)]
        entry = _entry(run, (checkpoint, file.digest, name, resim_version()), None if side is None else rows - start)
        vectors[rows] = _of_file(entry, loaded, table, view, rows)
        start = stop
    return vectors


def _of_file(entry: Path, loaded: LoadedEncoder, table: PairTable, view: int, rows: Integers) -> Floats32:
    """Of N rows, `(N, D)`."""
    kept = _read(entry, (len(rows), loaded.encoder.width))
    if kept is not None:
        return kept
    vectors = np.zeros((len(rows), loaded.encoder.width), np.float32)
    valid = table.rows.valid[view, rows]
    of_view = np.full(valid.sum(), view)
    vectors[valid] = embed(loaded.encoder, table, of_view, rows[valid], loaded.card.data.feature_set)
    try:
        write_array(entry, vectors)
    except InputError as error:
        log.warning("vectors are not kept: %s", error)
    return vectors


def _entry(run: RunFolder, key: Sequence[str], rows: Integers | None) -> Path:
    hashed = hashlib.sha256("\n".join(key).encode())
    if rows is not None:
        hashed.update(rows.astype("<i8").tobytes())
    return run.embeddings / f"{hashed.hexdigest()[:32]}.vectors"


def _read(entry: Path, shape: tuple[int, int]) -> Floats32 | None:
    try:
        vectors = read_array(entry)
    except BrokenSealError:
        log.warning("%s: damaged; the vectors are computed again", entry)
        return None
    except OSError:
        return None
    return vectors if vectors.shape == shape and vectors.dtype == np.float32 else None
