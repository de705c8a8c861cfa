"""What `jetssl embed` does: stream a pair file through a frozen encoder, block after block of each view."""

import hashlib
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np

from jetssl.common.threads import torch_threads
from jetssl.data.features import FEATURE_SETS
from jetssl.data.jet_table import read_jets
from jetssl.data.rows import file_record
from jetssl.evaluation.embedding import embed
from jetssl.evaluation.embedding_file import EmbeddingProvenance, EmbeddingWriter
from jetssl.models.checkpoints import LoadedEncoder, load_encoder
from jetssl.training.provenance import DataFile, versions
from jetssl.training.run_folder import RunFolder
from resim.common.errors import InputError
from resim.common.progress import ProgressReport
from resim.common.versions import git_state, utc_now
from resim.pairfile.reader import PairFile
from resim.pairfile.validation import violations

ROWS_AT_ONCE = 4096
"""Rows of a block: some 10 MB of constituents, and 32 batches to sort by length."""


def embed_file(run_path: Path, file: Path, output: Path, *, quiet: bool = False) -> EmbeddingProvenance:
    """Write the jet vectors of every view of a pair file, by the best checkpoint of a run.

    Memory does not grow with the number of rows, apart from their labels.

    Args:
        run_path: folder of a training run.
        file: any pair file, also one that the run has never seen.
        output: the file to write; replaced if it exists.
        quiet: no progress on stderr.

    Returns:
        The provenance that the file carries.

    Raises:
        InputError: no usable run or pair file, or the output cannot be written.
    """
    started = time.monotonic()
    run = RunFolder(run_path)
    loaded = load_encoder(run.best, run.load_card())
    if found := violations(file):
        raise InputError(f"{file}: {found[0]} ({len(found)} violations in all); generate the file again")
    with (
        torch_threads(loaded.card.training.threads),
        PairFile(file) as pairs,
        EmbeddingWriter(output, pairs, loaded.encoder.width) as writer,
    ):
        jets = sum(int(pairs.valid(view).sum()) for view in pairs.view_names)
        with ProgressReport("embed", jets, "jets", quiet) as progress:
            for view in pairs.view_names:
                _embed_view(loaded, pairs, view, writer, progress)
        provenance = _provenance(run, loaded, pairs, jets, started)
        writer.finish(provenance)
    return provenance


def _embed_view(
    loaded: LoadedEncoder, pairs: PairFile, view: str, writer: EmbeddingWriter, progress: ProgressReport
) -> None:
    features = loaded.card.data.feature_set
    for start in range(0, len(pairs), ROWS_AT_ONCE):
        stop = min(start + ROWS_AT_ONCE, len(pairs))
        table = read_jets(pairs, (view,), start, stop, FEATURE_SETS[features].columns)
        valid = table.counts[0] > 0
        rows = np.flatnonzero(valid)
        vectors = embed(loaded.encoder, table, np.zeros_like(rows), rows, features)
        if len(bad := np.flatnonzero(~np.isfinite(vectors).all(1))):
            raise InputError(
                f"{pairs.path}: the encoder gives no finite vector for row {start + rows[bad[0]]} of view {view!r};"
                " look at its constituents, or train again with a lower training.learning_rate"
            )
        writer.write(view, start, valid, vectors)
        progress.advance(len(rows))


def _provenance(
    run: RunFolder, loaded: LoadedEncoder, pairs: PairFile, jets: int, started: float
) -> EmbeddingProvenance:
    with run.best.open("rb") as stream:
        checkpoint = hashlib.file_digest(stream, "sha256").hexdigest()
    commit, dirty = git_state()
    return EmbeddingProvenance(
        run=str(run.path),
        checkpoint=checkpoint,
        epoch=loaded.epoch,
        card=loaded.card.model_dump(mode="json"),
        trained_on=tuple(data.digest for data in run.load_provenance().files),
        file=DataFile(**asdict(file_record(pairs))),
        width=loaded.encoder.width,
        jets=jets,
        versions=versions(),
        commit=commit,
        dirty=dirty,
        created=utc_now(),
        seconds=time.monotonic() - started,
    )
