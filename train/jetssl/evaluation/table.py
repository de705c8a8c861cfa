"""Results as text: one cell per number, shared by the terminal and the report."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from jetssl.evaluation.metrics import WORKING_POINTS
from jetssl.evaluation.results import VECTORS, Baseline, Result


@dataclass(frozen=True, slots=True)
class TableBlock:
    """A table of the report or the terminal."""

    title: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    caption: str = ""


NAMES: dict[Baseline | None, str] = {
    None: "pre-trained",
    "random": "random encoder",
    "features": "jet features",
    "wide_features": "more jet features",
    "constituents": "constituents",
    "images": "jet images",
    "efp": "energy flow polynomials",
    "scratch": "from scratch",
    "scratch_views": "from scratch, views",
}
"""How the inputs of a probe are called in tables and figures, but for vectors of other programs."""


def name_of(baseline: Baseline | None) -> str:
    """How an input is called.

    >>> name_of("random"), name_of("vectors:lgatr")
    ('random encoder', 'lgatr')
    """
    return NAMES.get(baseline) or str(baseline).removeprefix(VECTORS)


PROBES = {
    "linear_probe": ("Linear probe", "logistic regression"),
    "knn": ("Nearest neighbours", "shares of the classes among the nearest labelled jets"),
}
"""Title of each method of a probe, and what it is."""


def header(results: Sequence[Result]) -> tuple[str, ...]:
    """Column names of a table of one task."""
    first = ("labels", "input", "AUC", "± from", "ΔAUC")
    if len(results[0].classes) <= 2:
        return (*first, *(f"1/ε_b at ε_s={point}" for point in WORKING_POINTS))
    return (*first, "accuracy", *(f"of {name}" for name in results[0].classes))


def table_rows(results: Sequence[Result]) -> list[tuple[str, ...]]:
    """Cells of a table of one task: a row per number of labels and input, columns as in `header`."""
    by_row: dict[tuple[int, bool, Baseline | None], dict[tuple[str, str | None], Result]] = {}
    differences = {}
    for result in results:
        labels = (result.n_labels, result.all_labels)
        if result.metric.startswith("auc_minus_"):
            differences[*labels, result.metric.removeprefix("auc_minus_")] = result
        else:
            by_row.setdefault((*labels, result.baseline), {})[result.metric, result.jet_class] = result
    rows = []
    for (n_labels, all_labels, baseline), cells in by_row.items():
        difference = differences.get((n_labels, all_labels, baseline or ""))
        rows.append(
            (
                f"all ({n_labels})" if all_labels else str(n_labels),
                name_of(baseline),
                plus_minus(cells["auc", None]),
                sources_of_error(cells["auc", None]),
                plus_minus(difference, sign="+") if difference else "",
                *_last_cells(results[0].classes, cells),
            )
        )
    return rows


def _last_cells(classes: Sequence[str], cells: dict[tuple[str, str | None], Result]) -> list[str]:
    if len(classes) <= 2:
        return [rejection_cell(cells[f"rejection_at_{point}", None]) for point in WORKING_POINTS]
    return [plus_minus(cells["accuracy", name]) for name in (None, *classes)]


def plus_minus(result: Result, sign: str = "") -> str:
    """Value and error to three digits after the point."""
    return f"{result.value:{sign}.3f} ± {result.error:.3f}"


def sources_of_error(result: Result) -> str:
    """The parts of an error, one standard deviation from each source alone."""
    parts = result.error_parts.model_dump(exclude_none=True) if result.error_parts else {}
    return ", ".join(f"{source} {part:.3f}" for source, part in parts.items())


def rejection_cell(result: Result) -> str:
    """A rejection with its 68 % interval, or its lower limit if no background jet passed."""
    if result.value is None:
        return f"> {result.low:.1f} at 95 %"
    high = f"{result.high:.1f}" if result.high is not None else "∞"
    return f"{result.value:.1f} [{result.low:.1f}, {high}]"


def print_table(results: Sequence[Result]) -> None:
    """Print the results of one task to stdout; never cut off where the output is not a terminal."""
    console = Console(width=None if sys.stdout.isatty() else 180)
    console.print(terminal_table(results))


def terminal_table(results: Sequence[Result]) -> Table:
    """The results of one task as a rich table."""
    first = results[0]
    layer = "" if first.layer == "encoder" else f" on {first.layer}"
    title = f"{first.task}: {first.method.replace('_', ' ')}{layer}, {first.n_test} test jets of view {first.view}"
    interval = ", [ ] 68 % binomial" if len(first.classes) <= 2 else "; AUC: mean over pairs of classes"
    caption = (
        f"mean of {first.n_draws} draws; ± from draws and test set{interval}; ΔAUC: pre-trained minus this, paired"
    )
    table = Table(title=title, caption=caption + weights_note(first))
    for column, name in enumerate(header(results)):
        table.add_column(name, justify="left" if column < 2 else "right")
    for row in table_rows(results):
        table.add_row(*row)
    return table


def weights_note(result: Result) -> str:
    """What a caption says of the weights of test jets."""
    return "; test jets count with the weights of their events" if result.weighted else "; test jets count alike"


def print_fine_tuning(results: Sequence[Result]) -> None:
    """Print the records of a fine-tuning to stdout, a line per number of labels, mode and metric."""
    first = results[0]
    title = f"{first.task}: fine-tuned, {first.n_test} test jets of view {first.view}, {first.n_draws} draws"
    table = Table("labels", "method", "metric", "value", title=title, caption=weights_note(first)[2:])
    for result in results:
        labels = f"all ({result.n_labels})" if result.all_labels else str(result.n_labels)
        metric = f"{result.metric} of {result.jet_class}" if result.jet_class else result.metric
        cell = rejection_cell(result) if metric.startswith("rejection") else plus_minus(result)
        table.add_row(labels, result.method, metric, cell)
    Console(width=None if sys.stdout.isatty() else 180).print(table)


def print_blocks(blocks: Sequence[TableBlock]) -> None:
    """Print tables to stdout; never cut off where the output is not a terminal."""
    console = Console(width=None if sys.stdout.isatty() else 180)
    for block in blocks:
        table = Table(*block.header, title=block.title, caption=block.caption or None)
        for row in block.rows:
            table.add_row(*row)
        console.print(table)
