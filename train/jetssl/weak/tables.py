"""Records of a study as tables, one for each question; for the report."""

from collections.abc import Sequence

from jetssl.evaluation.results import Result
from jetssl.evaluation.table import TableBlock
from jetssl.weak.answers import answers, number, question_of

CAPTION = (
    " ± from test hard scatters, draws and trainings; differences are of the same jets, labels and draws. Weights of"
    " events do not count."
)
TITLES = {
    "adaptation": ("Domain adaptation", "Learned in the simulation, tested on data; Δ: minus simulation only."),
    "sample_size": ("Sample size", "Learned and tested in the simulation; Δ: minus supervised."),
    "teaching": (
        "Students of a teacher",
        "Frozen jet vectors, tested on data; Δ: minus teacher.",
    ),
    "noise": (
        "Label noise",
        "Frozen jet vectors, tested with true labels; Δ: minus plain (of plain: minus clean labels).",
    ),
    "mixtures": ("Mixed samples", "Frozen jet vectors; Δ: minus labels of the same jets."),
}


def weak_tables(results: Sequence[Result]) -> list[TableBlock]:
    """Answers, the size of the shift, and every question's arms."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(question_of(result), []).append(result)
    blocks = [TableBlock("Answers", ("",), [(line,) for line in answers(results)])]
    if "shift" in groups:
        blocks.append(_shift(groups["shift"]))
    return blocks + [_arms(name, groups[name]) for name in TITLES if name in groups]


def _shift(results: Sequence[Result]) -> TableBlock:
    rows = [(r.metric.replace("_", " "), number(r), f"{r.null:.3g}") for r in results]
    title = f"Shift between {results[0].view} and {results[0].other_view}"
    return TableBlock(title, ("distance", "value", "without a shift"), rows, "Masses in GeV.")


def _arms(question: str, results: Sequence[Result]) -> TableBlock:
    """A row for each way to learn."""
    by_row: dict[tuple[str | None, int, str | None], dict[str, Result]] = {}
    for result in results:
        by_row.setdefault((result.noise, result.n_labels, result.run), {})[result.metric] = result
    metrics = {
        "AUC": "auc",
        "Δ AUC": "auc_difference",
        "balanced accuracy": "balanced_accuracy",
        "Δ accuracy": "balanced_accuracy_difference",
        "share of the gap": "gap_closed",
    }
    shown = {name: metric for name, metric in metrics.items() if any(metric in cells for cells in by_row.values())}
    rows = [
        (noise or "", str(n_labels), run or "", *(_cell(cells.get(metric), name) for name, metric in shown.items()))
        for (noise, n_labels, run), cells in by_row.items()
    ]
    title, caption = TITLES[question]
    return TableBlock(title, ("labels are", "how many", "learned by", *shown), rows, caption + CAPTION)


def _cell(result: Result | None, name: str) -> str:
    return "" if result is None else number(result, "+" if name.startswith("Δ") else "")
