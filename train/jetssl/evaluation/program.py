"""What `jetssl probe` does: load the run and its data, probe, write the records into the run."""

import logging
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jetssl.common.threads import torch_threads
from jetssl.config.evaluation import ProbeCard
from jetssl.data.features import FEATURE_SETS
from jetssl.data.jet_table import OPTIONAL_COLUMNS
from jetssl.data.rows import Rows
from jetssl.data.table import load_pairs
from jetssl.evaluation.layers import parse_layer
from jetssl.evaluation.probe import Subject, probe
from jetssl.evaluation.results import VECTORS, Origin, Result, write_records, write_results
from jetssl.evaluation.task import Task, among, make_task, warn_of_other_identities
from jetssl.evaluation.vector_file import read_vectors, vectors_of_rows
from jetssl.models.checkpoints import load_encoder
from jetssl.training.run_folder import RunFolder
from resim.common.arrays import Floats32
from resim.common.errors import InputError
from resim.common.output_lock import locked

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ProbeRequest:
    """Arguments of a probe."""

    run: Path
    card: ProbeCard
    output: Path | None = None
    """folder of the records; None: the run"""

    @property
    def command(self) -> str:
        """The command line that asks for this."""
        output = ["-o", str(self.output)] if self.output else []
        return shlex.join(["jetssl", "probe", str(self.run), *output, *self.card.words])


def probe_run(request: ProbeRequest, *, quiet: bool = True) -> list[Result]:
    """Probe the best checkpoint of a run; writes `results.json` and `roc.json` into it, or into another folder.

    Raises:
        InputError: no usable run, data or task, or another process writes the run.
    """
    run = RunFolder(request.run)
    run.load_card()
    with locked(run.path):
        return _probe(request, run, quiet)


def _probe(request: ProbeRequest, run: RunFolder, quiet: bool) -> list[Result]:
    asked, layer = request.card, parse_layer(request.card.layer)
    loaded = load_encoder(run.best, run.load_card())
    data = loaded.card.data
    columns = dict.fromkeys((*OPTIONAL_COLUMNS, *FEATURE_SETS[data.feature_set].columns))  # baselines read the first
    table = load_pairs(asked.data or data.files, columns=tuple(columns), weights=data.weights)
    warn_of_other_identities(run, table.rows)
    task = make_task(
        table.rows,
        data.fractions,
        asked.signal,
        asked.background,
        asked.view,
        classes=asked.class_names,
        unweighted=asked.unweighted,
    )
    given, task = _vectors_of_others(asked.embedding, table.rows, task)
    with torch_threads(loaded.card.training.threads):
        outcome = probe(
            Subject(run, loaded, table, task, layer, given),
            asked.label_counts,
            Origin(asked.seed, request.command),
            baselines=asked.baseline,
            method=asked.method,
            quiet=quiet,
        )
    written = RunFolder(request.output or run.path)
    written.clear_results()  # a crash in between leaves no results rather than those of two probes
    write_records(written.roc, outcome.curves)
    write_results(written.results, outcome.results)
    return outcome.results


def _vectors_of_others(paths: Sequence[Path], rows: Rows, task: Task) -> tuple[dict[str, Floats32], Task]:
    """Vectors by the name of their file, and the task with the rows that all of them have."""
    names = [f"{VECTORS}{path.stem}" for path in paths]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"two files of vectors are called {repeated[0].removeprefix(VECTORS)!r}; rename one")
    given: dict[str, Floats32] = {}
    for name, path in zip(names, paths, strict=True):
        given[name], has = vectors_of_rows(read_vectors(path, rows.views[task.view]), rows, task.view)
        wanted = np.concatenate([task.train, task.validation, task.test])
        if missing := int((~has[wanted]).sum()):
            log.warning("%s: no vectors of %d of %d rows; all are judged on the others", path, missing, len(wanted))
            task = among(task, has)
    return given, task
