"""What `jetssl study` does: make what is missing, in order, put the answers side by side, decide the claims."""

import logging
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from jetssl.config.study import StudyCard, load_study_card
from jetssl.evaluation.compare import RunTable, named_records
from jetssl.evaluation.results import write_records
from jetssl.study.claims import Decision, decide
from jetssl.study.plan import Plan, Step
from jetssl.study.questions import Question
from resim.common.atomic_write import entries, write_text
from resim.common.errors import InputError
from resim.common.output_lock import locked

log = logging.getLogger(__name__)
STEPS_FILE = "steps.json"
RESULTS_FILE = "results.json"
CLAIMS_FILE = "claims.json"


class StepRecord(BaseModel):
    """A step that is done."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    folder: str
    """below that of the study"""
    seconds: float
    """wall time of the call that finished it"""
    load: float
    """mean number of processes that wanted a core meanwhile (1 minute, at its end)"""


_STEPS = TypeAdapter(list[StepRecord])


@dataclass(frozen=True, slots=True)
class StudyOutcome:
    """What a study found."""

    card: StudyCard
    command: str
    tables: dict[str, RunTable]
    """of each question"""
    decisions: list[Decision]
    steps: list[StepRecord]
    questions: dict[str, Question]
    """with the folders of their answers"""


def run_study(
    path: Path, folder: Path, command: str, overrides: Sequence[str] = (), *, quiet: bool = False
) -> StudyOutcome:
    """Make a study, or go on with it.

    Args:
        path: the card.
        folder: of the study: `samples/`, `trainings/`, `questions/`, `results.json`, `claims.json`, `steps.json`.
        command: command line that asks for it, for the report.
        overrides: `section.key=value`.
        quiet: no progress.

    Raises:
        InputError: unusable card or data, or the folder holds something else.
        KeyboardInterrupt: Ctrl-C; the same command goes on.
    """
    plan = Plan(load_study_card(path, overrides), folder, quiet)
    if entries(folder) and not (folder / STEPS_FILE).exists():
        raise InputError(f"{folder}: exists and holds no study; give another -o")
    with locked(folder):
        done = _make(plan)
        tables = {name: question.table(plan.card.questions[name]) for name, question in plan.questions.items()}
        decisions = [decide(claim, tables) for claim in plan.card.claims]
        outcome = StudyOutcome(plan.card, command, tables, decisions, done, plan.questions)
        records = [
            record.model_copy(update={"run": f"{name}/{record.run}"})
            for name, table in tables.items()
            for record in named_records(table)
        ]
        write_records(folder / RESULTS_FILE, records)
        write_records(folder / CLAIMS_FILE, outcome.decisions)
    return outcome


def _make(plan: Plan) -> list[StepRecord]:
    """All steps; those that are done are not made again."""
    known = _read_steps(plan.folder)
    steps = list(plan.steps)
    records: list[StepRecord] = []
    for number, step in enumerate(steps, 1):
        name = str(step.folder.resolve().relative_to(plan.folder.resolve()))
        if not step.done() or name not in known:
            log.info("study: step %d of %d, %s%s", number, len(steps), step.title, _eta(records, len(steps)))
            known[name] = _timed(step, name)
            write_records(plan.folder / STEPS_FILE, list(known.values()))
        records.append(known[name])
    return records


def _timed(step: Step, name: str) -> StepRecord:
    start = time.monotonic()
    if not step.done():
        step.make()
    seconds = time.monotonic() - start
    return StepRecord(title=step.title, folder=name, seconds=round(seconds, 1), load=round(os.getloadavg()[0], 1))


def _eta(done: Sequence[StepRecord], total: int) -> str:
    """By the mean time of a step, which is rough: trainings take longer than what is asked of them."""
    spent = sum(step.seconds for step in done)
    return f"; {spent:.0f} s so far, about {spent / len(done) * (total - len(done)):.0f} s to go" if spent else ""


def _read_steps(folder: Path) -> dict[str, StepRecord]:
    file = folder / STEPS_FILE
    if not file.exists():
        write_text(file, "[]\n")
    try:
        return {step.folder: step for step in _STEPS.validate_json(file.read_bytes())}
    except ValueError as error:
        raise InputError(f"{file}: unreadable; delete it, what is finished is found again") from error
