"""One question of a study: a command of jetssl, asked of several trainings, each answer in a folder of its own."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from jetssl.config.evaluation import (
    AnomalyCard,
    CompareCard,
    EvaluateCard,
    FineTuneCard,
    GeometryCard,
    ProbeCard,
)
from jetssl.config.sections import Section
from jetssl.config.study import QuestionCard, WslCard
from jetssl.evaluation.anomaly import AnomalySearch, find_anomalies
from jetssl.evaluation.compare import Column, RunTable, compare
from jetssl.evaluation.evaluate import Evaluation, evaluate
from jetssl.evaluation.finetune import FineTuning, finetune
from jetssl.evaluation.geometry import Geometry, geometry
from jetssl.evaluation.program import ProbeRequest, probe_run
from jetssl.evaluation.results import Result, read_results
from jetssl.training.run_folder import RunFolder
from jetssl.weak.program import study_weak_supervision
from resim.common.errors import InputError

JETS: Final = "jets"
"""Row of what `evaluate` says of the jets themselves."""


@dataclass(frozen=True, slots=True)
class Part:
    """One call of a command."""

    title: str
    runs: tuple[Path, ...]
    """one; of `wsl` none; of `evaluate` all, `<path>` for `<path>_0`, `<path>_1` …"""
    files: tuple[Path, ...]
    """pair files; none: those of the training"""
    output: Path
    section: Section | WslCard

    @property
    def alone(self) -> bool:
        """Whether the command takes all cores by itself."""
        return isinstance(self.section, FineTuneCard | WslCard)

    def done(self) -> bool:
        """Whether its records are written."""
        return RunFolder(self.output).results.is_file()


@dataclass(frozen=True, slots=True)
class Question:
    """A question whose runs have places."""

    name: str
    folder: Path
    runs: dict[str, list[Path]]
    """run folders, by the name that the card gives them"""
    files: tuple[Path, ...]
    """pair files; none: those of the trainings"""

    def parts(self, card: QuestionCard) -> Iterator[Part]:
        """The calls that answer it."""
        section = card.section
        if card.wsl is not None:
            yield Part("weak supervision", (), (), self.folder / "all", section)
            return
        if self.files and card.geometry is None:
            section = section.model_copy(update={"data": self.files})
        if card.evaluate is not None:
            names = [name.replace("/", ".") for name in self.runs]
            self._link(dict(zip(names, self.runs.values(), strict=True)))
            runs = tuple(self.folder / "runs" / name for name in names)
            yield Part("all runs", runs, self.files, self.folder / "all", section)
            return
        for paths in self.runs.values():
            for path in paths:
                yield Part(path.name, (path,), self.files, self.folder / path.name, section)

    def table(self, card: QuestionCard) -> RunTable:
        """All answers side by side, once they are there.

        Raises:
            InputError: records are missing, or cannot be compared.
        """
        if card.wsl is not None:
            return _ways_to_learn(read_results(RunFolder(self.folder / "all").results), card)
        if card.evaluate is not None:
            return _classifiers(read_results(RunFolder(self.folder / "all").results), card)
        asked = CompareCard(metric=card.metric, reference=card.reference, any_features=True)
        return compare([self.folder / name for name in self.runs], asked)

    def _link(self, runs: dict[str, list[Path]]) -> None:
        """Folders `runs/NAME_0`, `runs/NAME_1` …, as `evaluate` takes a classifier that was trained several times."""
        for name, paths in runs.items():
            for number, path in enumerate(paths):
                link = self.folder / "runs" / f"{name}_{number}"
                link.parent.mkdir(parents=True, exist_ok=True)
                if not link.is_symlink():
                    link.symlink_to(os.path.relpath(path, link.parent))


def _classifiers(results: Sequence[Result], card: QuestionCard) -> RunTable:
    """Rows are classifiers, whatever the number of labels that each has learned from."""
    return _table([(one.run or JETS, replace(Column.of(one), n_labels=0), one) for one in results], card)


def _ways_to_learn(results: Sequence[Result], card: QuestionCard) -> RunTable:
    """Rows are ways to learn, and how wrong their labels were."""

    def name(one: Result) -> str:
        return (one.run or JETS) + (f" ({one.noise})" if one.noise else "")

    return _table([(name(one), Column.of(one), one) for one in results], card)


def _table(figures: Sequence[tuple[str, Column, Result]], card: QuestionCard) -> RunTable:
    """Those of the metrics of the card, by row and column."""
    cells: dict[str, dict[Column, Result]] = {}
    for row, column, result in figures:
        if any(fnmatchcase(result.metric, one) for one in card.metric):
            cells.setdefault(row, {})[column] = result
    if not cells:
        known = ", ".join(dict.fromkeys(result.metric for _, _, result in figures))
        raise InputError(f"metric {list(card.metric)}: no such figure; there are {known}")
    columns = tuple(dict.fromkeys(column for row in cells.values() for column in row))
    reference = card.reference or next(iter(cells))
    if reference not in cells:
        raise InputError(f"reference {reference!r} is no row of the table; rows are {', '.join(cells)}")
    return RunTable(columns, cells, {}, reference)


def ask(part: Part, *, quiet: bool) -> None:
    """Make the call; the command writes its records.

    Raises:
        InputError: as the command.
    """
    match part.section:
        case ProbeCard():
            probe_run(ProbeRequest(part.runs[0], part.section, part.output), quiet=quiet)
        case FineTuneCard():
            finetune(FineTuning(part.runs[0], part.output, part.section), quiet=quiet)
        case EvaluateCard():
            evaluate(Evaluation(part.runs, part.output, part.section), quiet=quiet)
        case GeometryCard():
            (file, *_) = part.files or map(Path, RunFolder(part.runs[0]).load_card().data.files)
            geometry(Geometry(part.runs[0], file, part.output, part.section), quiet=quiet)
        case WslCard(card=path):
            study_weak_supervision(path, part.output, quiet=quiet)
        case AnomalyCard():
            find_anomalies(AnomalySearch(part.runs[0], part.output, part.section), quiet=quiet)
