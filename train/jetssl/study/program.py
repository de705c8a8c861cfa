"""What `jetssl study` does: make what is missing, in order, put the answers side by side, decide the claims."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jetssl.common.devices import choose
from jetssl.config.study import StudyCard, load_study_card
from jetssl.evaluation.compare import RunTable, named_records
from jetssl.evaluation.results import write_records
from jetssl.study.claims import Decision, decide
from jetssl.study.plan import SAMPLES, Plan
from jetssl.study.questions import Question
from jetssl.study.steps import STEPS_FILE, StepRecord, make_steps
from resim.common.atomic_write import entries
from resim.common.errors import InputError
from resim.common.output_lock import locked

RESULTS_FILE = "results.json"
CLAIMS_FILE = "claims.json"


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


@dataclass(frozen=True, slots=True)
class StudyRequest:
    """What to make, and where."""

    card: Path
    folder: Path
    """`samples/`, `trainings/`, `questions/`, `results.json`, `claims.json`, `steps.json`"""
    overrides: Sequence[str] = ()
    """`section.key=value`"""
    command: str = "jetssl study"
    """command line that asks for it, for the report"""
    jobs: int | None = None
    """trainings and evaluations at a time; None for one a core, and one where there is a GPU"""


def run_study(request: StudyRequest, *, quiet: bool = False) -> StudyOutcome:
    """Make a study, or go on with it.

    Raises:
        InputError: unusable card or data, or the folder holds something else.
        KeyboardInterrupt: Ctrl-C; the same command goes on.
    """
    folder = request.folder
    plan = Plan(load_study_card(request.card, request.overrides), folder, quiet)
    if entries(folder) and not (folder / STEPS_FILE).exists():
        raise InputError(f"{folder}: exists and holds no study; give another -o")
    with locked(folder):
        jobs = request.jobs or _default_jobs()
        make_steps([step for step in plan.steps if step.stage == SAMPLES], folder, jobs)
        plan.refuse_unknown_classes()
        done = make_steps(list(plan.steps), folder, jobs)
        tables = {name: question.table(plan.card.questions[name]) for name, question in plan.questions.items()}
        decisions = [decide(claim, tables) for claim in plan.card.claims]
        outcome = StudyOutcome(plan.card, request.command, tables, decisions, done, plan.questions)
        records = [
            record.model_copy(update={"run": f"{name}/{record.run}"})
            for name, table in tables.items()
            for record in named_records(table)
        ]
        write_records(folder / RESULTS_FILE, records)
        write_records(folder / CLAIMS_FILE, outcome.decisions)
    return outcome


def _default_jobs() -> int:
    return 1 if choose("auto").kind == "cuda" else len(os.sched_getaffinity(0))
