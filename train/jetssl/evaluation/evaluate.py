"""What `jetssl evaluate` does: score the test jets in every view with every classifier, write records and histograms.

Letters: K fits, V views, T test jets, D model width.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np

from jetssl.common.threads import torch_threads
from jetssl.config.data import DataCard
from jetssl.config.evaluation import EvaluateCard
from jetssl.data.features import FEATURE_SETS
from jetssl.data.splits import split_rows
from jetssl.data.table import PairTable, load_pairs
from jetssl.data.views import among, named
from jetssl.evaluation.causes import COLUMNS, causes
from jetssl.evaluation.embedding_cache import run_vectors
from jetssl.evaluation.heads import fit_linear
from jetssl.evaluation.results import Origin, Result, write_records, write_results
from jetssl.evaluation.robustness import FEWEST, CommonJets, Judged, robustness, score_distributions
from jetssl.evaluation.task import Task, draw_validation, make_task, warn_of_other_identities
from jetssl.evaluation.trained import HeadRecord, Trained, load_trained, runs_of
from jetssl.models.checkpoints import load_encoder
from jetssl.training.run_folder import RunFolder
from resim.common.arrays import Floats
from resim.common.errors import InputError
from resim.common.progress import ProgressReport

Models = dict[str, list[Trained]]
"""Fits of each run, by the name of the run."""
FILES = ("results.json", "replicas.npy", "distributions.json")
"""What an output folder holds."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Arguments of `jetssl evaluate`."""

    runs: tuple[Path, ...]
    """run folders; `<folder>` for all of `<folder>_0`, `<folder>_1` …, one classifier trained several times"""
    output: Path
    card: EvaluateCard

    @property
    def command(self) -> str:
        """The command line that asks for this."""
        return shlex.join(["jetssl", "evaluate", *map(str, self.runs), "-o", str(self.output), *self.card.words])


def evaluate(request: Evaluation, *, quiet: bool = False) -> list[Result]:
    """Judge classifiers; writes `results.json` and `distributions.json` into the output folder.

    Raises:
        InputError: no usable run, data, task or view; runs that cannot be compared; too few jets.
    """
    asked, folders = request.card, _folders(request)
    outputs = asked.logit_names
    heads: Models = {}
    if asked.head == "trained":
        heads = {name: [load_trained(path) for path in paths] for name, paths in folders.items()}
    for model in chain.from_iterable(heads.values()):
        model.refuse_unknown([name for side in outputs or () for name in side])
    data = _common_data(folders)
    columns = {*FEATURE_SETS[data.feature_set].columns, *COLUMNS}
    table = load_pairs(asked.data or data.files, columns=tuple(sorted(columns)), weights=data.weights)
    for path in chain.from_iterable(folders.values()):
        warn_of_other_identities(RunFolder(path), table.rows)
    task = make_task(table.rows, data.fractions, *_classes(asked, heads), unweighted=asked.unweighted)
    jets = _test_jets(task, table, asked.view)
    with torch_threads(RunFolder(next(iter(folders.values()))[0]).load_card().training.threads):
        heads = heads or {name: [_probed(path, table, task) for path in paths] for name, paths in folders.items()}
        judged = _scores(heads, table, jets, outputs, quiet)
    origin = Origin(asked.seed, request.command)
    results = robustness(judged, jets, asked.reference or judged[0].name, origin)
    means, shapes = causes(table, jets, origin)
    write_records(request.output / FILES[2], [*score_distributions(judged, jets), *shapes])
    write_results(request.output / FILES[0], results := [*results, *means])
    return results


def _folders(request: Evaluation) -> dict[str, list[Path]]:
    """The fits of each run, by the name of the run."""
    names = [path.resolve().name for path in request.runs]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"two runs are called {repeated[0]!r}, records could not tell them apart; rename a folder")
    reference = request.card.reference
    if reference and reference not in names:
        raise InputError(f"--reference {reference!r} is not among the runs: {', '.join(names)}")
    return {name: runs_of(path) for name, path in zip(names, request.runs, strict=True)}


def _common_data(folders: dict[str, list[Path]]) -> DataCard:
    """Section `data` of the first run, whose features and split all others share."""
    paths = [path for of_run in folders.values() for path in of_run]
    cards = [RunFolder(path).load_card().data for path in paths]
    for path, card in zip(paths, cards, strict=True):
        for name in ("features", "fractions"):
            one, other = (getattr(data, name) for data in (cards[0], card))
            if one != other:
                raise InputError(
                    f"{path} has data.{name} {other}, {paths[0]} has {one}: ratios would not compare the trainings;"
                    " evaluate them in two calls"
                )
    return cards[0]


def _classes(asked: EvaluateCard, heads: Models) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Signal and background classes that are asked for, or those that all heads were trained for.

    With `--logit` classes of the data and outputs of the heads have nothing to do with one another.
    """
    if asked.signal or asked.background or asked.logit or not heads:
        return asked.signal, asked.background
    tasks = {name: [_class_names(side) for side in models[0].task] for name, models in heads.items()}
    (first, task), *others = tasks.items()
    for name, other in others:
        if [set(side) for side in other] != [set(side) for side in task]:
            one, two = ("+".join(sides[0]) + " against " + "+".join(sides[1]) for sides in (task, other))
            raise InputError(
                f"{first} is trained for {one}, {name} for {two}; say with --signal and --background what to judge"
            )
    signal, background = task
    return signal, background


def _class_names(outputs: Sequence[str]) -> tuple[str, ...]:
    """Classes of the data that outputs of a head stand for."""
    return tuple(name for output in outputs for name in output.split("+"))


def _test_jets(task: Task, table: PairTable, wanted: tuple[str, ...]) -> CommonJets:
    """Those of the test split that are valid in the root view and in all that are compared with it."""
    root, *others = table.rows.views
    for name in wanted:
        if not named(name, others):
            raise InputError(f"--view {name!r} is not among the views to compare with {root}: {', '.join(others)}")
    others = list(among(wanted, others))
    if not others:
        raise InputError(f"the pair files have one common view, {root}; robustness needs another one to compare with")
    views = (root, *others)
    valid = table.rows.valid[[table.rows.views.index(name) for name in views]][:, task.test].all(axis=0)
    task = replace(task, test=task.test[valid], hard_scatter=task.hard_scatter[valid])
    if (task.weights[task.test] < 0).any():
        raise InputError("some events have negative weights, and distances have no meaning; judge with --unweighted")
    for side in (task.signal, task.background):
        count = int(np.isin(table.rows.label[task.test], side).sum())
        if count < FEWEST:
            raise InputError(
                f"the test split has {count} jets of {'+'.join(side)} in all of {', '.join(views)}, want at least"
                f" {FEWEST}; choose fewer views with --view, or generate more events"
            )
    return CommonJets(task, views, table.rows.label[task.test])


def _probed(path: Path, table: PairTable, task: Task) -> Trained:
    """The encoder of a run with a linear probe that has all labels of the training split."""
    run = RunFolder(path)
    loaded = load_encoder(run.best, run.load_card())
    validation = draw_validation(task, len(task.train), 0, 0)
    vectors, classes = run_vectors(run, loaded, table, task.view), task.class_index
    sizes = task.sizes_of(task.train, validation)
    head = fit_linear(vectors[task.train], classes[task.train], vectors[validation], classes[validation], sizes)
    record = HeadRecord(
        classes=("+".join(task.signal), "+".join(task.background)),
        method="linear_probe",
        baseline=None,
        n_labels=len(task.train),
        all_labels=True,
    )
    return Trained(path, loaded, head, record)


def _scores(
    heads: Models,
    table: PairTable,
    jets: CommonJets,
    outputs: tuple[tuple[str, ...], tuple[str, ...]] | None,
    quiet: bool,
) -> list[Judged]:
    """Logits of every fit in every view; jet vectors stay in the folders of the fits, for the next call.

    Outputs of the head for and against that are given stand for those of the classes.
    """
    fits = sum(len(models) for models in heads.values())
    rows, task = jets.task.test, jets.task
    signal, background = outputs or (task.signal, task.background)
    with ProgressReport("evaluate", fits * len(jets.views) * len(rows), "jets", quiet) as progress:

        def logits(model: Trained, view: str) -> Floats:
            side = split_rows(table.rows, model.loaded.card.data.fractions).test
            place = table.rows.views.index(view)
            vectors = run_vectors(RunFolder(model.path), model.loaded, table, place, side)[rows]
            progress.advance(len(rows))
            return model.score(vectors, signal, background)

        return [
            Judged(
                name,
                models[0].loaded.card.encoder.name,
                models[0].record,
                np.stack([np.stack([logits(model, view) for view in jets.views]) for model in models]),
            )
            for name, models in heads.items()
        ]
