"""What `jetssl anomaly` does: score test jets by how unlike background they are, and see whether anomalies stand out.

Scores learn from background jets of the training split; anomalies are only tested. `supervised`, a linear probe with
all labels, is the exception and the yardstick.

Letters: R rows, T test jets, D columns, K draws.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from jetssl.common.seeds import Stream, torch_seed
from jetssl.common.threads import torch_threads
from jetssl.config.evaluation import AnomalyCard, AnomalyScore
from jetssl.data.features import FEATURE_SETS
from jetssl.data.jet_table import OPTIONAL_COLUMNS
from jetssl.data.table import PairTable, load_pairs
from jetssl.evaluation.anomaly_scores import DRAWN, SCORERS
from jetssl.evaluation.probe import Competitor, Subject, classify, competitors_of
from jetssl.evaluation.results import Origin, Result, RocCurve, write_records, write_results
from jetssl.evaluation.scoring import ANOMALIES
from jetssl.evaluation.summary import Comparison, roc_curves, summarize
from jetssl.evaluation.task import Task, choose_classes, make_task, warn_of_other_identities
from jetssl.models.checkpoints import load_encoder
from jetssl.training.run_folder import RunFolder
from resim.common.arrays import Floats, Floats32, Integers
from resim.common.progress import ProgressReport

FILES = ("results.json", "replicas.npy", "roc.json")
"""What an output folder holds."""
BINS = (10, 4)
"""In pT and |eta|, with as many background jets each, in which anomalous jets are weighted."""


@dataclass(frozen=True, slots=True)
class AnomalySearch:
    """Arguments of `jetssl anomaly`."""

    run: Path
    output: Path
    card: AnomalyCard

    @property
    def command(self) -> str:
        """The command line that asks for this."""
        return shlex.join(["jetssl", "anomaly", str(self.run), "-o", str(self.output), *self.card.words])


def find_anomalies(request: AnomalySearch, *, quiet: bool = False) -> list[Result]:
    """Score and judge; writes `FILES` into the output folder.

    Raises:
        InputError: no usable run, file, view or class.
    """
    run, asked = RunFolder(request.run), request.card
    loaded = load_encoder(run.best, run.load_card())
    data = loaded.card.data
    columns = dict.fromkeys((*OPTIONAL_COLUMNS, *FEATURE_SETS[data.feature_set].columns))
    table = load_pairs(asked.data or data.files, columns=tuple(columns), weights=data.weights)
    warn_of_other_identities(run, table.rows)
    signal, background = choose_classes(list(table.rows.classes), asked.signal, asked.background)
    results: list[Result] = []
    curves: list[RocCurve] = []
    rounds = len(signal) * len(asked.score) * (1 + len(asked.baseline))
    with torch_threads(loaded.card.training.threads), ProgressReport("anomaly", rounds, "scores", quiet) as progress:
        for name in signal:
            task = make_task(table.rows, data.fractions, (name,), background, asked.view, unweighted=asked.unweighted)
            if asked.match_kinematics:
                task = replace(task, weights=matched_weights(task, table))
            inputs = competitors_of(Subject(run, loaded, table, task), asked.seed, asked.baseline)
            for score in asked.score:
                found = _compared(request, table, task, inputs, score, progress)
                results += summarize(found)
                curves += roc_curves(found)
    write_records(request.output / FILES[2], curves)
    write_results(request.output / FILES[0], results)
    return results


def _compared(  # noqa: PLR0913, PLR0917
    request: AnomalySearch,
    table: PairTable,
    task: Task,
    inputs: Sequence[Competitor],
    score: AnomalyScore,
    progress: ProgressReport,
) -> Comparison:
    """One score of all inputs."""
    asked = request.card
    learned = task.train if score == "supervised" else background_rows(task)
    scores = []
    for one in inputs:
        draws = asked.draws if one.baseline == "random" or score in DRAWN else 1
        seeds = [torch_seed(asked.seed, Stream.ANOMALY, draw) for draw in range(draws)]
        found = [scores_of(task, one.inputs(draw), score, seed) for draw, seed in enumerate(seeds)]
        scores.append(np.stack(found * (asked.draws // draws)))
        progress.advance(1)
    return Comparison(
        task=task,
        view=table.rows.views[task.view],
        names=[(one.baseline, one.encoder) for one in inputs],
        scores=scores,
        n_labels=len(learned),
        all_labels=True,
        origin=Origin(asked.seed, request.command),
        method=f"anomaly_{score}",
        judge=ANOMALIES,
    )


def scores_of(task: Task, inputs: Floats32, score: AnomalyScore, seed: int) -> Floats:
    """Scores of the test jets, float64 `(T,)`; `inputs` are `(R, D)`."""
    if score == "supervised":
        return np.asarray(classify(inputs, task, task.train, task.validation), np.float64)
    return SCORERS[score](inputs[background_rows(task)], inputs[task.test], seed)


def background_rows(task: Task) -> Integers:
    """Rows of the training split that are background: all that a score learns from, int64 `(n,)`."""
    return np.asarray(task.train[task.class_index[task.train] == 1])


def matched_weights(task: Task, table: PairTable) -> Floats:
    """Weights of all rows, `(R,)`, with which anomalous test jets have the pT and |eta| of the background's.

    In quantile bins of pT, and in each of these in quantile bins of |eta|. The mean weight of anomalous jets stays;
    where background has no jets, anomalous ones count 0.
    """
    pt, abs_eta = table.jets.pt[task.view][task.test], np.abs(table.jets.eta[task.view][task.test])
    is_signal, weights = task.is_signal[task.test], task.weights.copy()
    of_pt = _quantile_bin(pt, pt[~is_signal], BINS[0])
    factor = np.zeros(len(task.test))
    for number in range(BINS[0]):
        inside = of_pt == number
        of_eta = _quantile_bin(abs_eta, abs_eta[inside & ~is_signal], BINS[1])
        for part in range(BINS[1]):
            cell = inside & (of_eta == part)
            wanted, there = (weights[task.test][cell & chosen].sum() for chosen in (~is_signal, is_signal))
            factor[cell] = wanted / there if there > 0 else 0
    factor[is_signal] *= is_signal.sum() / max(factor[is_signal].sum(), np.finfo(float).tiny)
    factor[~is_signal] = 1
    weights[task.test] *= factor
    return weights


def _quantile_bin(values: Floats32, of: Floats32, number: int) -> Integers:
    """Bin of each value between quantiles of other ones, int64; -1 outside of all."""
    edges = np.quantile(of, np.linspace(0, 1, number + 1))
    found = np.minimum(np.searchsorted(edges, values, "right") - 1, number - 1)
    return np.where((values < edges[0]) | (values > edges[-1]), -1, found)
