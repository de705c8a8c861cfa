"""What a study says, as a page and as Markdown: the answer first, then the figures, how to repeat at the end."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from jetssl.config.study import TalkTable
from jetssl.evaluation.compare_table import comparison_block
from jetssl.evaluation.table import TableBlock
from jetssl.report.anomaly import anomaly_section
from jetssl.report.comparison import comparison_section
from jetssl.report.geometry import geometry_section
from jetssl.report.robustness import robustness_section
from jetssl.report.section import Facts, PageSection, write_page
from jetssl.report.weak import weak_section
from jetssl.study.claims import SIGNIFICANT, Decision
from jetssl.study.program import StudyOutcome
from jetssl.study.questions import Question
from resim.common.atomic_write import write_text

PAGE_FILE = "report.html"
TABLES_FILE = "tables.md"
_DETAILS = {
    "evaluate": robustness_section,
    "geometry": geometry_section,
    "anomaly": anomaly_section,
    "wsl": weak_section,
}


def write_study(outcome: StudyOutcome, folder: Path) -> None:
    """Write `report.html` and `tables.md` into the folder of a study.

    Raises:
        InputError: records of a question are damaged, or a file cannot be written.
    """
    with TemporaryDirectory() as scratch:
        write_page(list(_sections(outcome, Path(scratch))), folder / PAGE_FILE)
    write_text(folder / TABLES_FILE, "\n".join(map(_markdown, _tables(outcome))))


def claims_block(decisions: Sequence[Decision]) -> TableBlock:
    """Each claim with its figure and the verdict."""
    rows = [
        (one.says, one.verdict, _number(one.value), _number(one.than), _change(one), _null(one), _sample(one))
        for one in decisions
    ]
    header = ("claim", "verdict", "measured", "against", "difference", "null value", "sample")
    caption = (
        f"Holds, or does not hold: by {SIGNIFICANT:.0f} standard deviations of the difference, paired where both rows"
        " share test jets. The scatter of two trainings is known poorly: where it dominates, 2 are exceeded by chance"
        " in 30 % of cases, in 18 % with three. Null value: what chance alone would give, where that is known."
    )
    return TableBlock("Which claims hold here", header, rows, caption)


def _tables(outcome: StudyOutcome) -> Iterator[TableBlock]:
    if outcome.decisions:
        yield claims_block(outcome.decisions)
    for name, table in outcome.tables.items():
        block = comparison_block(table)
        yield TableBlock(f"{_words(name)}: {block.title}", block.header, block.rows, block.caption)
        if (talk := outcome.card.questions[name].talk) is not None:
            yield _talk_block(talk)
    yield _steps_block(outcome)


def _sections(outcome: StudyOutcome, scratch: Path) -> Iterator[PageSection]:
    facts: Facts = [("what differs from the talk", outcome.card.differs)] if outcome.card.differs else []
    answers = [claims_block(outcome.decisions)] if outcome.decisions else []
    yield PageSection(outcome.card.title, "study", facts, answers, [], "")
    for name, question in outcome.questions.items():
        yield _question_section(outcome, name, scratch / name)
        yield from _details(outcome, question, scratch / f"{name}.details")
    card = yaml.safe_dump(outcome.card.model_dump(mode="json"), sort_keys=False)
    command: Facts = [("command", outcome.command)]
    yield PageSection("How to repeat", "study", command, [_steps_block(outcome)], [], card)


def _question_section(outcome: StudyOutcome, name: str, scratch: Path) -> PageSection:
    section = comparison_section(outcome.tables[name], _words(name), scratch)
    if (talk := outcome.card.questions[name].talk) is not None:
        section.tables.append(_talk_block(talk))
    return section


def _details(outcome: StudyOutcome, question: Question, scratch: Path) -> Iterator[PageSection]:
    """What the command shows of one answer beyond the table: of all runs, or of the first training of each name."""
    asked = outcome.card.questions[question.name]
    if draw := _DETAILS.get(asked.command):
        names = ["all"] if asked.command in ("evaluate", "wsl") else [f"{name}_0" for name in question.runs]
        for number, name in enumerate(names):
            yield draw(question.folder / name, scratch.with_name(f"{scratch.name}.{number}"))


def _talk_block(talk: TalkTable) -> TableBlock:
    rows = [tuple(map(str, row)) for row in talk.rows]
    return TableBlock(f"The talk: {talk.title}", talk.header, rows)


def _steps_block(outcome: StudyOutcome) -> TableBlock:
    rows = [(step.title, f"{step.seconds:.0f}", f"{step.load:.1f}", step.folder) for step in outcome.steps]
    total = sum(step.seconds for step in outcome.steps)
    caption = (
        f"{total / 60:.0f} minutes in all. Load: processes that wanted a core, mean of the last minute of the step."
    )
    return TableBlock("Steps", ("step", "seconds", "load", "folder"), rows, caption)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"


def _change(one: Decision) -> str:
    if one.difference is None or one.error is None:
        return "unknown"
    allowed = f", margin {one.margin:g}" if one.margin else ""
    return f"{one.difference:+.3g} ± {one.error:.2g} (expected {one.expected}{allowed})"


def _null(one: Decision) -> str:
    return "" if one.null is None else f"{one.null:.3g}"


def _sample(one: Decision) -> str:
    labels = f", {one.n_labels} labels" if one.n_labels else ""
    counts = (f"{n} {word}{'' if n == 1 else 's'}" for n, word in ((one.n_draws, "draw"), (one.n_seeds, "training")))
    return f"{one.n_test} test jets{labels}, {', '.join(counts)}"


def _markdown(block: TableBlock) -> str:
    lines = [block.header, ("---",) * len(block.header), *block.rows]
    table = "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)
    return f"## {block.title}\n\n{table}\n" + (f"\n{block.caption}\n" if block.caption else "")
