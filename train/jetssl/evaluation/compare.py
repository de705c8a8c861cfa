"""What `jetssl compare` does: put the records of several runs side by side, with paired differences.

Letters: S training seeds, M replicas.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import numpy as np

from jetssl.common.seeds import Stream, generator
from jetssl.config.evaluation import CompareCard
from jetssl.evaluation.bootstrap import ROUNDING, spread
from jetssl.evaluation.results import ErrorParts, Result, RocCurve, read_curves, read_results
from jetssl.evaluation.trained import runs_of
from jetssl.training.run_folder import RunFolder
from resim.common.errors import InputError

AS_IT_COMES: Final = CompareCard()


@dataclass(frozen=True, slots=True)
class Column:
    """One question: a figure of one task."""

    task: str
    view: str
    n_labels: int | None
    """None for all"""
    metric: str
    other_view: str | None
    jet_class: str | None

    @classmethod
    def of(cls, result: Result) -> "Column":
        """The question that a record answers."""
        count = None if result.all_labels else result.n_labels
        return cls(result.task, result.view, count, result.metric, result.other_view, result.jet_class)

    @property
    def question(self) -> str:
        """Task and views in words."""
        views = self.view if self.other_view is None else f"{self.view}, {self.other_view}"
        return f"{self.task.replace('_vs_', ' vs ')} ({views})"

    @property
    def figure(self) -> str:
        """Metric and number of labels in words."""
        metric = "AUC" if self.metric == "auc" else self.metric.replace("_", " ")
        of_class = f" of {self.jet_class}" if self.jet_class else ""
        labels = "" if self.n_labels == 0 else f", {'all' if self.n_labels is None else self.n_labels} labels"
        return f"{metric}{of_class}{labels}"


@dataclass(frozen=True, slots=True)
class RunTable:
    """Records by row (what was judged) and column (the question)."""

    columns: tuple[Column, ...]
    cells: dict[str, dict[Column, Result]]
    """of each row, by its name"""
    curves: dict[str, list[RocCurve]]
    """of the rows that have some"""
    reference: str
    """name of a row"""

    @property
    def differences(self) -> dict[str, dict[Column, Result]]:
        """Of each other row, its records minus those of the reference, paired."""
        base = self.cells[self.reference]
        return {
            name: {
                column: paired_difference(result, base[column], self.reference)
                for column, result in cells.items()
                if column in base and result.replicas and base[column].replicas
            }
            for name, cells in self.cells.items()
            if name != self.reference
        }


def compare(paths: Sequence[Path], asked: CompareCard = AS_IT_COMES) -> RunTable:
    """Read the records of runs.

    Args:
        paths: folders with a `results.json`; `<folder>` for `<folder>_0`, `<folder>_1` …, which are one row.
        asked: the rest of the command line.

    Raises:
        InputError: no records, of another schema, of other test jets, or nothing in common.
    """
    folders = _folders(paths)
    if not asked.any_features:
        _refuse_other_features(folders)
    cells: dict[str, dict[Column, Result]] = {}
    curves: dict[str, list[RocCurve]] = {}
    for run, of_run in folders.items():
        records = _records(of_run, asked.metric)
        names = _row_names(run, records)
        for result in records:
            cells.setdefault(names[_what(result)], {})[Column.of(result)] = result
        for curve in _curves(of_run):
            if name := names.get((curve.run, curve.method, curve.baseline)):
                curves.setdefault(name, []).append(curve)
    cells = _without_repetitions(cells)
    columns = tuple(dict.fromkeys(column for row in cells.values() for column in row))
    chosen = asked.reference or next(iter(cells))
    if chosen not in cells:
        raise InputError(f"--reference {chosen!r} is no row of the table; rows are {', '.join(cells)}")
    table = RunTable(columns, cells, {name: curves[name] for name in cells if name in curves}, chosen)
    _refuse_what_cannot_be_compared(table)
    return table


def named_records(table: RunTable) -> list[Result]:
    """All cells, then all differences; `run` is the name of the row."""
    rows = [*table.cells.items(), *table.differences.items()]
    return [result.model_copy(update={"run": name}) for name, row in rows for result in row.values()]


def _folders(paths: Sequence[Path]) -> dict[str, list[Path]]:
    names = [path.resolve().name for path in paths]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"two runs are called {repeated[0]!r}, a table could not tell them apart; rename a folder")
    return {name: runs_of(path) for name, path in zip(names, paths, strict=True)}


def _refuse_other_features(folders: dict[str, list[Path]]) -> None:
    """A run, or the first fit of a fine-tuning, says what it reads; folders of `jetssl evaluate` have no card."""
    first: tuple[Path, str] | None = None
    for path in (path for of_run in folders.values() for path in of_run):
        card = next(iter([*path.glob("config.yaml"), *sorted(path.glob("*/config.yaml"))]), None)
        if card is None:
            continue
        features = str(RunFolder(card.parent).load_card().data.feature_set)
        first = first or (path, features)
        if features != first[1]:
            raise InputError(
                f"{path} reads features {features}, {first[0]} reads {first[1]}: inputs would be compared, not"
                " trainings; leave one out, or say --any-features"
            )


def _records(folders: Sequence[Path], metrics: Sequence[str]) -> list[Result]:
    """Records of one run, mean over its training seeds."""
    of_seeds = []
    for path in folders:
        file = RunFolder(path).results
        if not file.is_file():
            raise InputError(f"{path}: no results.json; run `jetssl probe`, `finetune` or `evaluate` first")
        found = read_results(file)
        if not (chosen := [result for result in found if any(fnmatchcase(result.metric, one) for one in metrics)]):
            known = ", ".join(dict.fromkeys(result.metric for result in found))
            raise InputError(f"{file}: nothing about {', '.join(metrics)}; choose with --metric among {known}")
        of_seeds.append({(_what(result), Column.of(result)): result for result in chosen})
    shared = [key for key in of_seeds[0] if all(key in one for one in of_seeds)]
    return [_mean([one[key] for one in of_seeds]) for key in shared]


def _mean(results: Sequence[Result]) -> Result:
    """Over training seeds; a replica takes one fewer seeds than there are, see `jetssl.evaluation.bootstrap`."""
    first = results[0]
    if len(results) == 1:
        return first
    _refuse_other_jets("one seed", first, "another one", results)
    values = [result.value for result in results if result.value is not None]
    rows = [result.replicas for result in results if result.replicas]
    update: dict[str, object] = {"n_seeds": sum(result.n_seeds for result in results), "low": None, "high": None}
    update["error_parts"] = None
    if len(values) < len(results) or len(rows) < len(results):
        return first.model_copy(update=update | {"value": None, "error": None, "replicas": None})
    rng, size = generator(first.seed, Stream.SEEDS, first.n_labels), len(results)
    shares = rng.multinomial(size - 1, np.full(size, 1 / size), len(rows[0])) / (size - 1)
    replicas = (shares.T * np.array(rows)).sum(0)
    of_seeds = float(np.std(values, ddof=1) / np.sqrt(size))
    parts = ErrorParts(seeds=of_seeds if first.baseline is None and of_seeds > ROUNDING else None)
    figures = {"value": float(np.mean(values)), "error": spread(replicas), "replicas": tuple(replicas.tolist())}
    return first.model_copy(update=update | figures | {"error_parts": parts})


def _what(result: Result) -> tuple[str | None, str, str | None]:
    """What was judged."""
    return result.run, result.method, result.baseline


def _row_names(run: str, results: Iterable[Result]) -> dict[tuple[str | None, str, str | None], str]:
    """As short as they are unique: the run, and what distinguishes its rows."""
    layers = {_what(result): result.layer for result in results if result.encoder is not None}
    judged = list(dict.fromkeys(map(_what, results)))
    names = {}
    for inner, method, baseline in judged:
        alone = len([one for one in judged if one[0] == inner and one[2] is None]) == 1
        words = [run, *([inner] if inner else [])]
        if baseline in {None, "scratch", "scratch_views"}:
            words += [] if alone and baseline is None else [method]
        else:
            words += [str(baseline)]
        layer = layers.get((inner, method, baseline), "encoder")
        names[inner, method, baseline] = ":".join([*words, *([layer] if layer != "encoder" else [])])
    return names


def _curves(folders: Sequence[Path]) -> list[RocCurve]:
    """Of a run that was trained once; a mean of curves over seeds would hide that they cross."""
    file = RunFolder(folders[0]).roc
    return read_curves(file) if len(folders) == 1 and file.is_file() else []


def _without_repetitions(cells: dict[str, dict[Column, Result]]) -> dict[str, dict[Column, Result]]:
    """Hand-made inputs are judged again beside every run, with the same outcome."""
    kept: dict[str, dict[Column, Result]] = {}
    seen: list[tuple[str | None, dict[Column, float | None]]] = []
    for name, row in cells.items():
        first = next(iter(row.values()))
        values = first.baseline, {column: result.value for column, result in row.items()}
        if first.encoder is None and values in seen:
            continue
        seen.append(values)
        kept[name] = row
    return kept


def _refuse_what_cannot_be_compared(table: RunTable) -> None:
    base = table.cells[table.reference]
    for name, row in table.cells.items():
        if not (common := [column for column in row if column in base]):
            tasks, others = (", ".join(dict.fromkeys(c.task for c in cells)) for cells in (row, base))
            raise InputError(
                f"{name} ({tasks}) and {table.reference} ({others}) answer no common question; evaluate both with the"
                " same classes, views and numbers of labels"
            )
        for column in common:
            _refuse_other_jets(table.reference, base[column], name, [row[column]])


def _refuse_other_jets(name: str, first: Result, other: str, results: Iterable[Result]) -> None:
    for result in results:
        if (first.test_set, first.seed) != (result.test_set, result.seed):
            raise InputError(
                f"{other}: {result.task} was judged on {result.n_test} jets (set {result.test_set}) with seed"
                f" {result.seed}, {name} on {first.n_test} ({first.test_set}) with seed {first.seed}: no pairs;"
                " compare what the same command judged with the same --data, --view and --seed"
            )


def paired_difference(result: Result, base: Result, reference: str) -> Result:
    """One record minus another one of the same test jets; the error is that of the paired difference."""
    pairs: Iterator[tuple[float, float]] = zip(result.replicas or (), base.replicas or (), strict=True)
    replicas = np.array([one - other for one, other in pairs])
    known = result.value is not None and base.value is not None
    return result.model_copy(
        update={
            "metric": f"{result.metric}_minus_reference",
            "reference": reference,
            "value": (result.value or 0.0) - (base.value or 0.0) if known else None,
            "error": spread(replicas) if known else None,
            "error_parts": None,
            "low": None,
            "high": None,
            "null": None,
            "replicas": tuple(replicas.tolist()),
        }
    )
