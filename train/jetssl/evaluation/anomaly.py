"""What `jetssl anomaly` does: score test jets by how unlike background they are, and see whether anomalies stand out.

Scores learn from background jets of the training split; anomalies are only tested. `supervised`, a linear probe with
all labels, is the exception and the yardstick.

Letters: R rows, T test jets, D columns, K draws.
"""

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from jetssl.common.seeds import Stream, torch_seed
from jetssl.common.threads import torch_threads
from jetssl.config.data import Fractions
from jetssl.config.evaluation import AnomalyCard, AnomalyScore
from jetssl.data.features import FEATURE_SETS
from jetssl.data.jet_table import OPTIONAL_COLUMNS
from jetssl.data.table import PairTable, load_pairs
from jetssl.evaluation.anomaly_scores import DRAWN, SCORERS
from jetssl.evaluation.probe import Competitor, Subject, classify, competitors_of
from jetssl.evaluation.results import Origin, Result, write_records, write_results
from jetssl.evaluation.scoring import ANOMALIES
from jetssl.evaluation.summary import Comparison, roc_curves, summarize
from jetssl.evaluation.task import (
    Task,
    choose_classes,
    make_task,
    warn_of_known_classes,
    warn_of_other_identities,
)
from jetssl.models.checkpoints import load_encoder
from jetssl.training.run_folder import RunFolder
from resim.common.arrays import Floats, Floats32, Integers
from resim.common.errors import InputError
from resim.common.progress import ProgressReport

FILES = ("results.json", "replicas.npy", "roc.json")
"""What an output folder holds."""
MATCHED = "_matched"
"""End of the method's name in the records where anomalous jets are weighted."""
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
    hunt = _hunt(asked, table, data.fractions)
    warn_of_known_classes(loaded, hunt.joint.signal)
    with torch_threads(loaded.card.training.threads):
        competitors = competitors_of(Subject(run, loaded, table, hunt.joint), asked.seed, asked.baseline)
        with ProgressReport("anomaly", len(competitors) * asked.draws, "draws", quiet) as progress:
            scores = [_scores(one, hunt, asked, progress) for one in competitors]
    comparisons = [
        Comparison(
            task=task,
            view=table.rows.views[task.view],
            names=[(one.baseline, one.encoder) for one in competitors],
            scores=[of_input[number, score] for of_input in scores],
            n_labels=len(task.train if score == "supervised" else background_rows(task)),
            all_labels=True,
            origin=Origin(asked.seed, request.command),
            method=f"anomaly_{score}{MATCHED * asked.match_kinematics}",
            judge=ANOMALIES,
        )
        for number, task in enumerate(hunt.tasks)
        for score in asked.score
    ]
    results = [record for comparison in comparisons for record in summarize(comparison)]
    write_records(request.output / FILES[2], [curve for one in comparisons for curve in roc_curves(one)])
    write_results(request.output / FILES[0], results)
    return results


@dataclass(frozen=True, slots=True)
class _Hunt:
    """Each anomalous class against the same background."""

    joint: Task
    """all anomalous classes together"""
    tasks: list[Task]


def _hunt(asked: AnomalyCard, table: PairTable, fractions: Fractions) -> _Hunt:
    signal, background = choose_classes(list(table.rows.classes), asked.signal, asked.background)
    joint, *tasks = (
        make_task(table.rows, fractions, names, background, asked.view, unweighted=asked.unweighted)
        for names in (signal, *((name,) for name in signal))
    )
    if asked.match_kinematics:
        tasks = [replace(task, weights=matched_weights(task, table)) for task in tasks]
    return _Hunt(joint, tasks)


def _scores(
    competitor: Competitor, hunt: _Hunt, asked: AnomalyCard, progress: ProgressReport
) -> dict[tuple[int, AnomalyScore], Floats]:
    """Scores `(K, T)` of the test jets of each task, by its number and the score; inputs of a draw are made once."""
    of_draws: dict[tuple[int, AnomalyScore], list[Floats]] = {}
    for draw in range(asked.draws):
        inputs, seed = competitor.inputs(draw), torch_seed(asked.seed, Stream.ANOMALY, draw)
        for score in asked.score:
            if draw == 0 or score in DRAWN or competitor.baseline == "random":
                found = scores_of(hunt.joint, hunt.tasks, inputs, score, seed)
            else:
                found = [of_draws[number, score][0] for number in range(len(hunt.tasks))]
            for number, values in enumerate(found):
                of_draws.setdefault((number, score), []).append(values)
        progress.advance(1)
    return {key: np.stack(found) for key, found in of_draws.items()}


def scores_of(joint: Task, tasks: Sequence[Task], inputs: Floats32, score: AnomalyScore, seed: int) -> list[Floats]:
    """Scores of the test jets of each task, float64 `(T,)`.

    Args:
        joint: all anomalous classes against the background of the tasks.
        tasks: one anomalous class each.
        inputs: `(R, D)`.
        score: which one; all but `supervised` learn once, from background.
        seed: of what is drawn.
    """
    if score == "supervised":
        return [np.asarray(classify(inputs, task, task.train, task.validation), np.float64) for task in tasks]
    of_row = np.zeros(len(inputs))
    of_row[joint.test] = SCORERS[score](inputs[background_rows(joint)], inputs[joint.test], seed)
    return [of_row[task.test] for task in tasks]


def background_rows(task: Task) -> Integers:
    """Rows of the training split that are background: all that a score learns from, int64 `(n,)`."""
    return np.asarray(task.train[task.class_index[task.train] == 1])


def matched_weights(task: Task, table: PairTable) -> Floats:
    """Weights of all rows, `(R,)`, with which anomalous test jets have the pT and |eta| of the background's.

    In quantile bins of pT, and in each of these in quantile bins of |eta|. The sum of the weights of anomalous jets
    stays; where background has no jets, anomalous ones count 0.

    Raises:
        InputError: too few background jets for the bins, or none with the kinematics of an anomalous one.
    """
    pt, abs_eta = table.jets.pt[task.view][task.test], np.abs(table.jets.eta[task.view][task.test])
    is_signal, own = task.is_signal[task.test], task.weights[task.test]
    there, least = int((~is_signal).sum()), 2 * math.prod(BINS)
    if there < least:
        raise InputError(
            f"--match-kinematics: {there} test jets of background, want {least} for {BINS[0]} bins in pT and"
            f" {BINS[1]} in |eta|; generate more events, or leave it out"
        )
    of_pt = _quantile_bin(pt, pt[~is_signal], BINS[0])
    matched = own.copy()
    matched[is_signal] = 0
    for number in range(BINS[0]):
        inside = of_pt == number
        of_eta = _quantile_bin(abs_eta, abs_eta[inside & ~is_signal], BINS[1])
        for part in range(BINS[1]):
            wanted, found = (own[inside & (of_eta == part) & kind].sum() for kind in (~is_signal, is_signal))
            if found:
                cell = inside & (of_eta == part) & is_signal
                matched[cell] = own[cell] * wanted / found
    if not matched[is_signal].any():
        raise InputError(
            f"--match-kinematics: no jet of {task.classes[0]} has the pT of a background jet; leave it out"
        )
    matched[is_signal] *= own[is_signal].sum() / matched[is_signal].sum()
    weights = task.weights.copy()
    weights[task.test] = matched
    return weights


def _quantile_bin(values: Floats32, of: Floats32, number: int) -> Integers:
    """Bin of each value between quantiles of other ones, int64; -1 outside of all."""
    edges = np.quantile(of, np.linspace(0, 1, number + 1))
    found = np.minimum(np.searchsorted(edges, values, "right") - 1, number - 1)
    return np.where((values < edges[0]) | (values > edges[-1]), -1, found)
