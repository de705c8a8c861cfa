"""What `jetssl probe` does: load the run and its data, probe, write the records into the run."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jetssl.common.threads import torch_threads
from jetssl.data.features import FEATURE_SETS
from jetssl.data.jet_table import OPTIONAL_COLUMNS
from jetssl.data.table import load_pairs
from jetssl.evaluation.layers import ENCODER, Layer
from jetssl.evaluation.probe import DEFAULT_BASELINES, ProbeMethod, Subject, probe
from jetssl.evaluation.results import Baseline, Origin, Result, write_records, write_results
from jetssl.evaluation.task import make_task, warn_of_other_identities
from jetssl.models.checkpoints import load_encoder
from jetssl.training.run_folder import RunFolder
from resim.common.output_lock import locked


@dataclass(frozen=True, slots=True)
class ProbeRequest:
    """Arguments of a probe; empty ones mean the default of the command line."""

    run: Path
    data: tuple[Path, ...] = ()
    signal: tuple[str, ...] = ()
    background: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    view: str = ""
    labels: Sequence[int | None] = (100, None)
    """numbers of labels; None for all"""
    baselines: tuple[Baseline, ...] = DEFAULT_BASELINES
    seed: int = 1
    method: ProbeMethod = "linear_probe"
    layer: Layer = ENCODER
    unweighted: bool = False

    @property
    def command(self) -> str:
        """The command line that asks for this."""
        words = ["jetssl", "probe", str(self.run)]
        for option, values in (
            ("data", self.data),
            ("signal", self.signal),
            ("background", self.background),
            ("baseline", self.baselines),
        ):
            words += [word for value in values for word in (f"--{option}", str(value))]
        words += ["--classes", ",".join(self.classes)] if self.classes else []
        words += ["--view", self.view] if self.view else []
        words += [word for count in self.labels for word in ("--labels", "all" if count is None else str(count))]
        words += ["--layer", str(self.layer)] if self.layer != ENCODER else []
        words += ["--unweighted"] if self.unweighted else []
        return shlex.join([*words, "--method", self.method, "--seed", str(self.seed)])


def probe_run(request: ProbeRequest, *, quiet: bool = True) -> list[Result]:
    """Probe the best checkpoint of a run; writes `results.json` and `roc.json` into it.

    Raises:
        InputError: no usable run, data or task, or another process writes the run.
    """
    run = RunFolder(request.run)
    run.load_card()
    with locked(run.path):
        return _probe(request, run, quiet)


def _probe(request: ProbeRequest, run: RunFolder, quiet: bool) -> list[Result]:
    loaded = load_encoder(run.best)
    data = loaded.card.data
    columns = dict.fromkeys((*OPTIONAL_COLUMNS, *FEATURE_SETS[data.feature_set].columns))  # baselines read the first
    table = load_pairs(request.data or data.files, columns=tuple(columns), weights=data.weights)
    warn_of_other_identities(run, table.rows)
    task = make_task(
        table.rows,
        data.fractions,
        request.signal,
        request.background,
        request.view,
        classes=request.classes,
        unweighted=request.unweighted,
    )
    with torch_threads(loaded.card.training.threads):
        outcome = probe(
            Subject(run, loaded, table, task, request.layer),
            request.labels,
            Origin(request.seed, request.command),
            baselines=request.baselines,
            method=request.method,
            quiet=quiet,
        )
    run.clear_results()  # a crash in between leaves no results rather than those of two probes
    write_records(run.roc, outcome.curves)
    write_results(run.results, outcome.results)
    return outcome.results
